package failover

// Standing is what the door at which a command came in found out about who gave it. Ferry acts for a member of its own
// workspace in good standing, which is the empty one; for everybody else it records the command and refuses it.
type Standing string

// The standings. A terminal identity has none: NATS vouches for it.
const (
	StandingGuest          Standing = "guest"           // of one or several channels
	StandingBot            Standing = "bot"             // an app, or a workflow
	StandingDeactivated    Standing = "deactivated"     // no member any more
	StandingStranger       Standing = "stranger"        // of another organisation, by Slack Connect
	StandingUnchecked      Standing = "unchecked"       // Slack did not tell in time
	StandingOtherWorkspace Standing = "other_workspace" // the request is of a workspace that Ferry is not for
	StandingOtherApp       Standing = "other_app"       // the request was made for another Slack app
	StandingSharedChannel  Standing = "shared_channel"  // asked or pressed where another organisation takes part
	StandingHiddenChannel  Standing = "hidden_channel"  // asked where Slack does not tell the bot who takes part
)

// Barred is the refusal of whatever somebody of this standing asks; nil for a member in good standing. A standing that this
// version does not know is none to act for.
func (s Standing) Barred() *Refusal {
	switch s {
	case "":
		return nil
	case StandingGuest:
		return Refuse(NotAllowed, "Ask a full member of the workspace to do it.", "You are a guest of this workspace, and Ferry does nothing for guests.")
	case StandingBot:
		return Refuse(NotAllowed, "Have a person ask; a program asks from a terminal, with a NATS identity of its own.", "Ferry takes nothing from bots and workflows.")
	case StandingDeactivated:
		return Refuse(NotAllowed, "Ask a member of the workspace to do it, or an administrator of Slack to activate the account.", "This Slack account is deactivated.")
	case StandingStranger:
		return Refuse(NotAllowed, "Ask somebody of the organisation that runs Ferry to do it.", "You belong to another organisation, and Ferry does nothing for those who are here by Slack Connect.")
	case StandingUnchecked:
		return Refuse(NotAllowed, "Ask again in a moment, or from a terminal.", "Slack did not say in time whether you are a full member of this workspace. Nothing was done.")
	case StandingOtherWorkspace:
		return Refuse(NotAllowed, "Ask in the workspace that Ferry is installed for.", "This request came from another Slack workspace.")
	case StandingOtherApp:
		return Refuse(NotAllowed, "Have slack.bot_token and slack.app_token checked: they belong to different apps.", "This request was made for another Slack app.")
	case StandingHiddenChannel:
		return Refuse(NotAllowed, "In a private channel, type /invite @ferry. Or ask in another channel, or in a direct message to Ferry.", "Ferry cannot look into this channel or conversation, so that it cannot tell whether another organisation takes part.")
	case StandingSharedChannel:
		return Refuse(NotAllowed, "Ask in a channel that is not shared, or in a direct message to Ferry.", "This channel is shared with another organisation, and Ferry takes no commands here.")
	}
	return Refuse(NotAllowed, "Have all bots and executors of Ferry upgraded to the same version.", "Ferry found out something about you that this version does not know: %s.", string(s))
}
