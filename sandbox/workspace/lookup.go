package workspace

func (w *Workspace) authTest(params) (reply, error) {
	me := reply{
		"url": w.baseURL + "/", "team": "Sandbox", "team_id": w.opts.TeamID, "user": botName, "user_id": botUserID,
		"bot_id": botID, "is_enterprise_install": w.opts.OrgInstall,
	}
	if w.opts.EnterpriseID != "" {
		me["enterprise_id"] = w.opts.EnterpriseID
	}
	if w.opts.OrgInstall { // inferred: the token belongs to no workspace
		me["team_id"] = w.opts.EnterpriseID
	}
	return me, nil
}

func (w *Workspace) usersInfo(p params) (reply, error) {
	person, known := w.people[p["user"]]
	if !known {
		return nil, apiError{code: "user_not_found"}
	}
	return reply{"user": w.wireUser(person)}, nil
}
