package workspace

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// maxFile is the most that one upload may hold, in bytes; Slack takes up to 1 GB.
const maxFile = 16 << 20

// File is an upload of the app that stands in a message.
type File struct {
	ID      string
	Name    string
	Title   string
	Content []byte
}

// upload is a file on its way: promised, then there, then shared.
type upload struct {
	File
	key    string // of the URL that takes the content
	length int    // bytes, as promised
	there  bool
	shared bool
}

// filesGetUploadURL is files.getUploadURLExternal.
func (w *Workspace) filesGetUploadURL(p params) (reply, error) {
	length, err := strconv.Atoi(p["length"])
	if err != nil || length <= 0 || p["filename"] == "" {
		return nil, apiError{code: "missing_argument"}
	}
	if length > maxFile {
		return nil, apiError{code: "file_upload_size_restricted"}
	}
	u := &upload{File: File{ID: "F" + rand.Text()[:10], Name: p["filename"], Title: p["filename"]}, key: rand.Text(), length: length}
	w.uploads[u.ID] = u
	return reply{"file_id": u.ID, "upload_url": w.baseURL + "/upload/v1/" + u.key}, nil
}

// serveUpload takes the content of a file, as a form or as it is, with the length that was promised (that another one is
// refused is inferred).
func (w *Workspace) serveUpload(rw http.ResponseWriter, r *http.Request) {
	body := io.Reader(http.MaxBytesReader(rw, r.Body, maxFile+maxBody))
	if form, err := r.MultipartReader(); err == nil {
		part, err := form.NextPart()
		if err != nil {
			http.Error(rw, "no file in the form", http.StatusBadRequest)
			return
		}
		body = part
	}
	content, err := io.ReadAll(body)
	if err == nil {
		err = w.receive(r.PathValue("key"), content)
	}
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = fmt.Fprintf(rw, "OK - %d", len(content)) // a client that is gone needs no answer
}

func (w *Workspace) receive(key string, content []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range w.uploads {
		switch {
		case u.key != key || u.there:
		case u.length != len(content):
			return fmt.Errorf("%d bytes came of %d", len(content), u.length)
		default:
			u.Content, u.there = content, true
			return nil
		}
	}
	return apiError{code: "no_such_upload"}
}

// filesCompleteUpload is files.completeUploadExternal: the files stand in one message of each channel, or nowhere. A file is
// completed once (inferred).
func (w *Workspace) filesCompleteUpload(p params) (reply, error) {
	var named []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if json.Unmarshal([]byte(p["files"]), &named) != nil || len(named) == 0 {
		return nil, apiError{code: "invalid_arguments"}
	}
	var uploads []*upload
	for _, n := range named {
		u := w.uploads[n.ID]
		if u == nil || !u.there || u.shared {
			return nil, apiError{code: "file_not_found"}
		}
		if n.Title != "" {
			u.Title = n.Title
		}
		uploads = append(uploads, u)
	}
	ids := strings.FieldsFunc(p["channels"]+","+p["channel_id"], func(r rune) bool { return r == ',' })
	if err := w.share(ids, p, uploads); err != nil {
		return nil, err
	}
	wire := []reply{}
	for _, u := range uploads {
		u.shared = true
		wire = append(wire, w.wireFile(u.File))
	}
	return reply{"files": wire}, nil
}

func (w *Workspace) share(channels []string, p params, uploads []*upload) error {
	m := Message{User: botUserID, Text: p["initial_comment"]}
	for _, u := range uploads {
		m.Files = append(m.Files, u.File)
	}
	var in []*channel
	for _, id := range channels {
		c, err := w.addressed(params{"channel": id})
		if err != nil {
			return err
		}
		if ts := p["thread_ts"]; ts != "" {
			if m.ThreadTS = c.threadOf(ts); m.ThreadTS == "" {
				return apiError{code: "thread_not_found"}
			}
		}
		in = append(in, c)
	}
	for _, c := range in {
		w.post(c, m)
	}
	return nil
}

// wireFile is the file object.
func (w *Workspace) wireFile(f File) reply {
	kind := mime.TypeByExtension(path.Ext(f.Name))
	return reply{
		"id": f.ID, "name": f.Name, "title": f.Title, "size": len(f.Content), "mimetype": kind, "filetype": strings.TrimPrefix(path.Ext(f.Name), "."),
		"user": botUserID, "mode": "hosted", "is_external": false, "permalink": w.baseURL + "/files/" + f.ID,
	}
}

// wireFiles are those of a message.
func (w *Workspace) wireFiles(m *Message) []reply {
	var wire []reply
	for _, f := range m.Files {
		wire = append(wire, w.wireFile(f))
	}
	return wire
}

// serveFile gives the page a file that the person named sees: to be saved, never shown by the browser.
func (w *Workspace) serveFile(rw http.ResponseWriter, r *http.Request) {
	f, ok := w.fileFor(r.URL.Query().Get("as"), r.PathValue("id"))
	if !ok {
		http.NotFound(rw, r)
		return
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	_, _ = io.Copy(rw, bytes.NewReader(f.Content)) // a client that is gone needs nothing
}

func (w *Workspace) fileFor(user, id string) (File, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, c, err := w.find(user, w.opts.Channel.ID)
	if err != nil {
		return File{}, false
	}
	for _, m := range c.messages {
		if i := slices.IndexFunc(m.Files, func(f File) bool { return f.ID == id }); i >= 0 && m.visibleTo(p.ID) {
			return m.Files[i], true
		}
	}
	return File{}, false
}
