package workspace_test

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"ferry/sandbox/workspace"
)

// dataBlocks are a table, a plan and a chart.
const dataBlocks = `[
	{"type": "table", "column_settings": [{}, {"align": "right"}], "rows": [
		[{"type": "raw_text", "text": "Server"}, {"type": "raw_text", "text": "Age of the newest point"}],
		[{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "vm-x", "style": {"bold": true}}]}]}, {"type": "raw_number", "value": 42}]]},
	{"type": "plan", "title": "Failover of vm-x", "tasks": [
		{"type": "task_card", "task_id": "1", "title": "Shut down", "status": "complete", "output": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "took 40 s"}]}]}},
		{"type": "task_card", "task_id": "2", "title": "Boot", "status": "in_progress", "sources": [{"type": "url", "text": "portal", "url": "https://portal.example/job"}]}]},
	{"type": "data_visualization", "title": "Minutes per step", "chart": {"type": "bar", "axis_config": {"categories": ["stop", "boot"]},
		"series": [{"name": "vm-x", "data": [{"label": "stop", "value": 1}, {"label": "boot", "value": 3.5}]}]}},
	{"type": "data_visualization", "title": "Ready", "chart": {"type": "pie", "segments": [{"label": "yes", "value": 8}]}},
	{"type": "markdown", "text": "# as it is"}]`

func TestDataBlocksAreText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, workspace.Options{})
		check(t, l.postRaw(t, dataBlocks))
		m, _ := l.newest(t, "")
		want := []string{
			"Server | Age of the newest point", "*vm-x* | 42",
			"# Failover of vm-x", "  [complete] Shut down", "    took 40 s", "  [in progress] Boot", "    portal (https://portal.example/job)",
			"Minutes per step (bar)", "  vm-x: stop: 1, boot: 3.5", "Ready (pie)", "  yes: 8", "# as it is",
		}
		if diff := cmp.Diff(want, l.Render(m)); diff != "" {
			t.Error(diff)
		}
	})
}
