package slack

import "strings"

// Manifest is the definition of the Slack app as Slack takes it, in JSON or YAML; made by [NewManifest].
type Manifest struct {
	Metadata struct {
		Major int `json:"major_version" yaml:"major_version"`
		Minor int `json:"minor_version" yaml:"minor_version"`
	} `json:"_metadata" yaml:"_metadata"`
	Display struct {
		Name        string `json:"name" yaml:"name"`
		Description string `json:"description" yaml:"description"`
		Background  string `json:"background_color" yaml:"background_color"`
	} `json:"display_information" yaml:"display_information"`
	Features struct {
		Home struct {
			Home     bool `json:"home_tab_enabled" yaml:"home_tab_enabled"`
			Messages bool `json:"messages_tab_enabled" yaml:"messages_tab_enabled"`
			ReadOnly bool `json:"messages_tab_read_only_enabled" yaml:"messages_tab_read_only_enabled"`
		} `json:"app_home" yaml:"app_home"`
		Bot struct {
			Name   string `json:"display_name" yaml:"display_name"`
			Online bool   `json:"always_online" yaml:"always_online"`
		} `json:"bot_user" yaml:"bot_user"`
		Commands  []slashCommand `json:"slash_commands" yaml:"slash_commands"`
		Shortcuts []shortcut     `json:"shortcuts" yaml:"shortcuts"`
	} `json:"features" yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot      []string `json:"bot" yaml:"bot"`
			Optional []string `json:"bot_optional" yaml:"bot_optional"`
		} `json:"scopes" yaml:"scopes"`
	} `json:"oauth_config" yaml:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty" yaml:"request_url,omitempty"`
			Bot []string `json:"bot_events" yaml:"bot_events"`
		} `json:"event_subscriptions" yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool   `json:"is_enabled" yaml:"is_enabled"`
			URL     string `json:"request_url,omitempty" yaml:"request_url,omitempty"`
			Options string `json:"message_menu_options_url,omitempty" yaml:"message_menu_options_url,omitempty"`
		} `json:"interactivity" yaml:"interactivity"`
		OrgDeploy     bool `json:"org_deploy_enabled" yaml:"org_deploy_enabled"`
		SocketMode    bool `json:"socket_mode_enabled" yaml:"socket_mode_enabled"`
		TokenRotation bool `json:"token_rotation_enabled" yaml:"token_rotation_enabled"`
	} `json:"settings" yaml:"settings"`
}

type shortcut struct {
	Name        string `json:"name" yaml:"name"`
	Type        string `json:"type" yaml:"type"`
	CallbackID  string `json:"callback_id" yaml:"callback_id"`
	Description string `json:"description" yaml:"description"`
}

type slashCommand struct {
	Command     string `json:"command" yaml:"command"`
	URL         string `json:"url,omitempty" yaml:"url,omitempty"`
	Description string `json:"description" yaml:"description"`
	Hint        string `json:"usage_hint" yaml:"usage_hint"`
	Escape      bool   `json:"should_escape" yaml:"should_escape"`
}

// NewManifest makes the manifest with a slash command. url is where Slack reaches the bot over HTTP, without a path; empty is
// Socket Mode, in which an app has no such address. The scopes and events are those of [Scopes], [Extras] and [Events]; the Home
// tab shows a person what waits for them, the messages tab is where people ask in private.
func NewManifest(command, url string) Manifest {
	var m Manifest
	m.Metadata.Major, m.Metadata.Minor = 1, 1
	m.Display.Name, m.Display.Background = "Ferry", "#1b3a57"
	m.Display.Description = "Fails Azure VMs over, with approval, and keeps the record."
	m.Features.Home.Home, m.Features.Home.Messages = true, true
	m.Features.Bot.Name, m.Features.Bot.Online = "ferry", true
	m.OAuth.Scopes.Bot, m.Settings.Events.Bot = Scopes(), Events()
	for _, x := range Extras() {
		m.OAuth.Scopes.Optional = append(m.OAuth.Scopes.Optional, x.Scope)
	}
	m.Settings.Interactivity.Enabled, m.Settings.SocketMode = true, url == ""
	slash := slashCommand{Command: command, Description: "Fail Azure VMs over", Hint: "VM... [POINT], group NAME, or help"}
	if url != "" {
		url = strings.TrimSuffix(url, "/") + "/slack/"
		slash.URL, m.Settings.Interactivity.URL, m.Settings.Events.URL = url+"commands", url+"interactions", url+"events"
		m.Settings.Interactivity.Options = m.Settings.Interactivity.URL
	}
	m.Features.Commands = []slashCommand{slash}
	m.Features.Shortcuts = []shortcut{{Name: ShortcutName, Type: "message", CallbackID: ShortcutShow, Description: "Show the operation that a message is about"}}
	return m
}
