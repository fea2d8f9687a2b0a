package workspace

import (
	"fmt"
	"slices"
	"time"
)

// UserGroup is a set of members that can be mentioned.
type UserGroup struct {
	ID     string // S…
	Handle string // without @
	Name   string
	Users  []string // ids
	// Of the last three, one keeps ordinary members from adding themselves, where the workspace lets everybody edit
	// user groups: the group comes from the identity provider, its members are locked, or only administrators edit it.
	Disabled          bool
	IDP               bool // is_idp_group
	MembershipLocked  bool // is_membership_locked
	EditingRestricted bool // is_editing_restricted
}

// SetGroup adds a user group or takes the place of the one with the same id. The app gets subteam_members_changed when that
// changes who is in it, and subteam_updated for anything else.
func (w *Workspace) SetGroup(g UserGroup) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range g.Users {
		if p := w.people[id]; p.ID == "" || w.kindOf(p) != "" {
			return fmt.Errorf("%s cannot be in a user group: only full members can", id)
		}
	}
	was := UserGroup{ID: g.ID}
	if i := w.groupAt(g.ID); i >= 0 {
		was, w.groups[i] = w.groups[i], g
	} else {
		w.groups = append(w.groups, g)
	}
	added, removed := without(g.Users, was.Users), without(was.Users, g.Users)
	if len(added)+len(removed) == 0 {
		w.tellApp("subteam_updated", reply{"subteam": w.wireGroup(g)}, nil)
		return nil
	}
	now := time.Now().Unix() // the counts are numbers on the wire (reported), though the documented example has strings
	w.tellApp("subteam_members_changed", reply{
		"subteam_id": g.ID, "team_id": w.opts.TeamID, "date_previous_update": now, "date_update": now,
		"added_users": added, "added_users_count": len(added), "removed_users": removed, "removed_users_count": len(removed),
	}, nil)
	return nil
}

// without is what of the first is not in the second.
func without(ids, others []string) []string {
	left := []string{}
	for _, id := range ids {
		if !slices.Contains(others, id) {
			left = append(left, id)
		}
	}
	return left
}

func (w *Workspace) groupAt(id string) int {
	return slices.IndexFunc(w.groups, func(g UserGroup) bool { return g.ID == id })
}

func (w *Workspace) wireGroup(g UserGroup) reply {
	deleted := int64(0)
	if g.Disabled {
		deleted = 1
	}
	return reply{
		"id": g.ID, "team_id": w.opts.TeamID, "is_usergroup": true, "is_subteam": true, "name": g.Name, "handle": g.Handle, "description": "",
		"is_external": false, "date_create": 1, "date_update": 1, "date_delete": deleted, "auto_type": nil, "created_by": slackbotID,
		"updated_by": slackbotID, "deleted_by": nil, "user_count": len(g.Users), "prefs": reply{"channels": []string{}, "groups": []string{}},
		"is_idp_group": g.IDP, "is_membership_locked": g.MembershipLocked, "is_editing_restricted": g.EditingRestricted,
	}
}

// groupsOf says why no groups are told of: there are none, or the token is of no workspace (documented; the code is inferred).
func (w *Workspace) groupsOf(p params) error {
	switch {
	case w.opts.FreePlan:
		return apiError{code: "plan_upgrade_required"}
	case w.opts.OrgInstall && p["team_id"] == "":
		return apiError{code: "missing_argument"}
	}
	return nil
}

func (w *Workspace) usergroupsList(p params) (reply, error) {
	if err := w.groupsOf(p); err != nil {
		return nil, err
	}
	list := []reply{}
	for _, g := range w.groups {
		if g.Disabled && p["include_disabled"] != "true" {
			continue
		}
		wire := w.wireGroup(g)
		if p["include_users"] == "true" {
			wire["users"] = g.Users
		}
		list = append(list, wire)
	}
	return reply{"usergroups": list}, nil
}

// usergroupsUsersList does not know a disabled group (inferred).
func (w *Workspace) usergroupsUsersList(p params) (reply, error) {
	if err := w.groupsOf(p); err != nil {
		return nil, err
	}
	i := w.groupAt(p["usergroup"])
	if i < 0 || w.groups[i].Disabled && p["include_disabled"] != "true" {
		return nil, apiError{code: "no_such_subteam"}
	}
	return reply{"users": append([]string{}, w.groups[i].Users...)}, nil
}
