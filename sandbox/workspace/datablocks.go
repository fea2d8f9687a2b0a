package workspace

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Documented limits of the blocks that hold data rather than text.
const (
	maxRows      = 100
	maxColumns   = 20
	maxMarkdown  = 12_000 // characters of all in one message
	maxCharts    = 2      // in one message
	maxSeries    = 12
	maxPoints    = 20
	maxLabel     = 20
	taskStatuses = "pending in_progress complete error"
)

// items are the values of an array that holds no objects.
func (n node) items(key string) []any {
	values, _ := n[key].([]any)
	return values
}

// cells are one row of a table; a cell that is no object is nil.
func cells(row any) []node {
	return node{"cells": row}.list("cells")
}

func (c *checker) table(path string, b node) {
	c.fields(path, b, "block_id rows column_settings")
	rows := b.items("rows")
	c.count(path+"/rows", len(rows), maxRows)
	if len(b.list("column_settings")) > maxColumns {
		c.fail(path+"/column_settings", "no more than %d items allowed", maxColumns)
	}
	for i, row := range rows {
		at := fmt.Sprint(path, "/rows/", i)
		c.count(at, len(cells(row)), maxColumns)
		for j, cell := range cells(row) {
			at := fmt.Sprint(at, "/", j)
			switch cell.text("type") {
			case "raw_text":
				c.required(at, cell, "text")
			case "raw_number":
				c.required(at, cell, "value")
			case "rich_text":
				c.richText(at, cell)
			default:
				c.fail(at, "unsupported type: %s", cell.text("type"))
			}
		}
	}
}

func (c *checker) task(path string, b node) {
	c.fields(path, b, "block_id task_id title status details output sources hide_title")
	c.required(path, b, "task_id", "title")
	c.length(path, b, "title", maxText) // no documented maximum
	if b.has("status") && !oneOf(b.text("status"), taskStatuses) {
		c.fail(path+"/status", "must be one of: %s", strings.ReplaceAll(taskStatuses, " ", ", "))
	}
	for _, key := range []string{"details", "output"} {
		if b.has(key) {
			c.richText(path+"/"+key, b.child(key))
		}
	}
}

func (c *checker) plan(path string, b node) {
	c.fields(path, b, "block_id title tasks")
	c.required(path, b, "title")
	for i, t := range b.list("tasks") {
		c.task(fmt.Sprint(path, "/tasks/", i), t)
	}
}

func (c *checker) chart(path string, b node) {
	c.fields(path, b, "block_id title chart")
	c.required(path, b, "title", "chart")
	c.length(path, b, "title", 50)
	chart, at := b.child("chart"), path+"/chart"
	switch kind := chart.text("type"); kind {
	case "pie":
		c.points(at+"/segments", chart.list("segments"), maxSeries)
	case "bar", "area", "line":
		series := chart.list("series")
		c.count(at+"/series", len(series), maxSeries)
		for i, s := range series {
			at := fmt.Sprint(at, "/series/", i)
			c.required(at, s, "name")
			c.length(at, s, "name", maxLabel)
			c.points(at+"/data", s.list("data"), maxPoints)
		}
	default:
		c.fail(at+"/type", "must be one of: pie, bar, area, line")
	}
}

func (c *checker) points(path string, points []node, most int) {
	c.count(path, len(points), most)
	for i, p := range points {
		at := fmt.Sprint(path, "/", i)
		c.required(at, p, "label", "value")
		c.length(at, p, "label", maxLabel)
	}
}

// together checks what a message may hold only so often. That two tables have an error of their own is documented.
func (c *checker) together(blocks []node) error {
	tables, charts, markdown := 0, 0, 0
	for _, b := range blocks {
		switch b.text("type") {
		case "table", "data_table":
			tables++
		case "data_visualization":
			charts++
		case "markdown":
			markdown += utf8.RuneCountInString(b.text("text"))
		}
	}
	if charts > maxCharts {
		c.fail("/blocks", "no more than %d data_visualization blocks allowed", maxCharts)
	}
	if markdown > maxMarkdown {
		c.fail("/blocks", "markdown blocks must have less than %d characters together", maxMarkdown+1)
	}
	if tables > 1 {
		return apiError{code: "only_one_table_allowed"}
	}
	return nil
}

// data renders the blocks that hold data; false for any other.
func (r renderer) data(b node) ([]string, bool) {
	switch b.text("type") {
	case "table":
		var lines []string
		for _, row := range b.items("rows") {
			var texts []string
			for _, cell := range cells(row) {
				texts = append(texts, r.cell(cell))
			}
			lines = append(lines, strings.Join(texts, " | "))
		}
		return lines, true
	case "markdown":
		return strings.Split(b.text("text"), "\n"), true
	case "task_card":
		return r.task(b), true
	case "plan":
		lines := []string{"# " + b.text("title")}
		for _, t := range b.list("tasks") {
			lines = append(lines, prefixed(r.task(t), "  ")...)
		}
		return lines, true
	case "data_visualization":
		return r.chart(b), true
	}
	return nil, false
}

func (r renderer) cell(cell node) string {
	switch cell.text("type") {
	case "raw_text":
		return cell.text("text")
	case "raw_number":
		if text := cell.text("text"); text != "" {
			return text
		}
		return fmt.Sprint(cell["value"])
	}
	return strings.Join(r.block(cell), " ")
}

func (r renderer) task(b node) []string {
	lines := []string{"[" + strings.ReplaceAll(b.text("status"), "_", " ") + "] " + b.text("title")}
	for _, key := range []string{"details", "output"} {
		if b.has(key) {
			lines = append(lines, prefixed(r.block(b.child(key)), "  ")...)
		}
	}
	for _, s := range b.list("sources") {
		lines = append(lines, "  "+s.text("text")+" ("+s.text("url")+")")
	}
	return lines
}

func (r renderer) chart(b node) []string {
	chart := b.child("chart")
	lines := []string{b.text("title") + " (" + chart.text("type") + ")"}
	point := func(p node) string { return p.text("label") + ": " + fmt.Sprint(p["value"]) }
	for _, p := range chart.list("segments") {
		lines = append(lines, "  "+point(p))
	}
	for _, s := range chart.list("series") {
		var points []string
		for _, p := range s.list("data") {
			points = append(points, point(p))
		}
		lines = append(lines, "  "+s.text("name")+": "+strings.Join(points, ", "))
	}
	return lines
}
