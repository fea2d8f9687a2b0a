package workspace_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"ferry/sandbox/workspace"
)

func TestFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		parent := l.post(t, slack.MsgOptionText("a card", false))
		up := func(f slack.UploadFileParameters) error {
			f.Filename, f.FileSize, f.Content = "log.txt", 12, "disk errors\n"
			_, err := l.api.UploadFileContext(t.Context(), f)
			return err
		}
		check(t, up(slack.UploadFileParameters{Channel: incident, ThreadTimestamp: parent, Title: "The log", InitialComment: "what happened"}))
		m, text := l.newest(t, "")
		if m.ThreadTS != parent || len(m.Files) != 1 || string(m.Files[0].Content) != "disk errors\n" || text != "what happened\n[file: The log, 12 bytes]" {
			t.Errorf("%+v\n%s", m, text)
		}
		check(t, up(slack.UploadFileParameters{Channel: incident}))
		if m, text := l.newest(t, ""); m.ThreadTS != "" || text != "[file: log.txt, 12 bytes]" {
			t.Errorf("%+v\n%s", m, text)
		}
		h, err := l.api.GetConversationHistoryContext(t.Context(), &slack.GetConversationHistoryParameters{ChannelID: incident})
		check(t, err)
		if f := h.Messages[0].Files; len(f) != 1 || f[0].Name != "log.txt" || f[0].Size != 12 || f[0].Mimetype == "" {
			t.Errorf("files: %+v", f)
		}
		got := []string{code(up(slack.UploadFileParameters{Channel: "C0NONE"})), code(up(slack.UploadFileParameters{Channel: incident, ThreadTimestamp: "1.000000"}))}
		if diff := cmp.Diff([]string{"channel_not_found", "thread_not_found"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestUploadsInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		u, err := l.api.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "a.txt", FileSize: 3})
		check(t, err)
		send := func(content string) string {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.UploadURL, strings.NewReader(content))
			check(t, err)
			answer, err := l.http.Do(request)
			check(t, err)
			check(t, answer.Body.Close())
			return answer.Status
		}
		complete := func() string {
			_, err := l.api.CompleteUploadExternalContext(t.Context(), slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: u.FileID}}, Channel: incident})
			return code(err)
		}
		got := []string{complete(), send("four"), send("abc"), send("abc"), complete(), complete()}
		want := []string{"file_not_found", "400 Bad Request", "200 OK", "400 Bad Request", "ok", "file_not_found"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for body, want := range map[string]string{`{"filename":"a.txt","length":0}`: "missing_argument", `{"length":1}`: "missing_argument", `{"filename":"a.txt","length":99999999}`: "file_upload_size_restricted"} {
			if a := l.callJSON(t, "files.getUploadURLExternal", body); a.Error != want {
				t.Errorf("%s: %s, want %s", body, a.Error, want)
			}
		}
		bare := newLab(t, workspace.Options{Scopes: []string{"chat:write"}})
		if a := bare.callJSON(t, "files.getUploadURLExternal", `{"filename":"a.txt","length":1}`); a.Error != "missing_scope" {
			t.Error(a.Error)
		}
	})
}
