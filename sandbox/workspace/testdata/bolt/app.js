// An app on the official Bolt, for the test that the stand-in is not made for one client alone. It echoes: a command with a
// button, a form, a Home tab, a mention, a shortcut.

const { App } = require("@slack/bolt");

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const plain = (text) => ({ type: "plain_text", text });
const button = (action_id, label, value) => ({ type: "actions", block_id: "row", elements: [{ type: "button", action_id, text: plain(label), value }] });

const form = (channel) => ({
  type: "modal", callback_id: "form", private_metadata: channel, title: plain("Echo"), submit: plain("Send"),
  blocks: [
    { type: "input", block_id: "text", label: plain("Text"), element: { type: "plain_text_input", action_id: "text" } },
    { type: "input", block_id: "vm", label: plain("Server"), element: { type: "external_select", action_id: "vm", min_query_length: 1, placeholder: plain("Search") } },
  ],
});

const home = (text) => ({ type: "home", callback_id: "home", blocks: [{ type: "section", text: { type: "mrkdwn", text } }, button("refresh", "Refresh", "all")] });

app.command("/failover", async ({ command, ack, respond, client }) => {
  await ack();
  if (command.text === "form") return client.views.open({ trigger_id: command.trigger_id, view: form(command.channel_id) });
  return respond({ response_type: "in_channel", text: `echo: ${command.text}`, blocks: [{ type: "section", text: plain(`echo: ${command.text}`) }, button("again", "Again", command.text)] });
});

app.action("again", async ({ ack, body, action, say, respond }) => {
  await ack();
  await say({ text: `again: ${action.value} by <@${body.user.id}>`, thread_ts: body.message.ts });
  await respond({ replace_original: true, text: `done: ${action.value}` });
});

app.options("vm", async ({ options, ack }) => {
  await ack({ options: ["vm-x", "vm-y"].filter((name) => name.includes(options.value)).map((name) => ({ text: plain(name), value: name })) });
});

app.view("form", async ({ ack, view, client }) => {
  const { text, vm } = view.state.values;
  if (text.text.value === "no") return ack({ response_action: "errors", errors: { text: "Say yes." } });
  await ack();
  return client.chat.postMessage({ channel: view.private_metadata, text: `submitted: ${text.text.value} ${vm.vm.selected_option.value}` });
});

app.event("app_home_opened", async ({ event, client }) => client.views.publish({ user_id: event.user, view: home(`welcome, tab ${event.tab}`) }));

app.action("refresh", async ({ ack, body, client }) => {
  await ack();
  await client.views.publish({ user_id: body.user.id, hash: body.view.hash, view: home(`refreshed, ${body.container.type} of ${body.view.type}`) });
});

app.event("app_mention", async ({ event, say }) => say({ text: `mentioned by <@${event.user}>`, thread_ts: event.thread_ts ?? event.ts }));

app.shortcut("show", async ({ shortcut, ack, respond }) => {
  await ack();
  await respond({ text: `shown: ${shortcut.message.text}` });
});

app.start().then(() => console.log("ready"));
