package workspace

func (w *Workspace) authTest(params) (reply, error) {
	return reply{
		"url": w.baseURL + "/", "team": "Sandbox", "team_id": w.opts.TeamID, "user": botName, "user_id": botUserID,
		"bot_id": botID, "is_enterprise_install": false,
	}, nil
}

func (w *Workspace) conversationsInfo(p params) (reply, error) {
	c, err := w.addressed(p)
	if err != nil {
		return nil, err
	}
	return reply{"channel": reply{
		"id": c.ID, "name": c.Name, "name_normalized": c.Name, "context_team_id": w.opts.TeamID,
		"is_channel": true, "is_group": false, "is_im": false, "is_mpim": false, "is_private": false,
		"is_archived": false, "is_member": true, "is_general": false, "is_org_shared": false,
		"is_shared": w.shared(), "is_ext_shared": w.shared(), "is_pending_ext_shared": false,
	}}, nil
}

// shared is true as soon as one person of another organisation is there.
func (w *Workspace) shared() bool {
	for _, p := range w.opts.People {
		if p.External {
			return true
		}
	}
	return false
}

func (w *Workspace) usersInfo(p params) (reply, error) {
	person, known := w.people[p["user"]]
	if !known {
		return nil, apiError{code: "user_not_found"}
	}
	return reply{"user": w.wireUser(person)}, nil
}

// usergroupsUsersList knows no user group yet.
func (w *Workspace) usergroupsUsersList(params) (reply, error) {
	return nil, apiError{code: "no_such_subteam"}
}
