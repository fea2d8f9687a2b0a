package config

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// Encode writes a configuration as a file that [Parse] reads back to the same values. Secrets stand in it in the
// clear: it is meant for a file that only its owner can read. Values equal to their default are left out.
func Encode(c Config) ([]byte, error) {
	tree, err := encodeSection(reflect.ValueOf(c), "")
	if err != nil {
		return nil, err
	}
	return []byte(tree.render("")), nil
}

// Write creates a file from [Encode], readable by its owner only. It never overwrites.
func Write(path string, c Config) error {
	data, err := Encode(c)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = file.Write(data)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// encodeSection leaves out what a decoder would put there anyway.
func encodeSection(v reflect.Value, path string) (section, error) {
	defaults := fresh(v.Type())
	var written section
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		if name == "" || reflect.DeepEqual(v.Field(i).Interface(), defaults.Field(i).Interface()) {
			continue
		}
		value, err := encodeValue(v.Field(i), join(path, name))
		if err != nil {
			return nil, err
		}
		written = append(written, entry{name, value})
	}
	return written, nil
}

func encodeValue(v reflect.Value, path string) (node, error) {
	switch value := v.Interface().(type) {
	case Secret:
		return encodeText(value.Reveal(), path)
	case Secrets:
		if len(value) == 1 && !value[0].IsZero() {
			return encodeText(value[0].Reveal(), path)
		}
	case Wave:
		if value.list() {
			return encodeList(v.FieldByName("VMs"), path)
		}
	case time.Duration:
		return scalar(value.String()), nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return encodeSection(v.Elem(), path)
	case reflect.Struct:
		return encodeSection(v, path)
	case reflect.Map:
		return encodeTable(v, path)
	case reflect.Slice:
		return encodeList(v, path)
	case reflect.String:
		return encodeText(v.String(), path)
	case reflect.Interface:
		return encodeFree(v.Interface(), path)
	default:
		return scalar(fmt.Sprint(v.Interface())), nil
	}
}

func encodeTable(v reflect.Value, path string) (section, error) {
	var table section
	for _, name := range sortedKeys(v) {
		value, err := encodeValue(v.MapIndex(reflect.ValueOf(name)), join(path, name))
		if err != nil {
			return nil, err
		}
		table = append(table, entry{name, value})
	}
	return table, nil
}

func encodeList(v reflect.Value, path string) (list, error) {
	items := make(list, v.Len())
	for i := range v.Len() {
		value, err := encodeValue(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		items[i] = value
	}
	return items, nil
}

// encodeText keeps a value from being taken for a reference when it is read back.
func encodeText(text, path string) (scalar, error) {
	switch {
	case strings.HasPrefix(text, "file:"):
		return "", fmt.Errorf("encode the configuration: %s begins with file:, which stands for a file's content and has no escape", path)
	case !utf8.ValidString(text):
		return "", fmt.Errorf("encode the configuration: %s is not UTF-8", path)
	}
	return quote(strings.ReplaceAll(text, "${", "$${")), nil
}

// encodeFree writes a value without a known form as JSON, which is YAML too.
func encodeFree(value any, path string) (scalar, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode the configuration: %s: %w", path, err)
	}
	return scalar(data), nil
}

func sortedKeys(v reflect.Value) []string {
	names := map[string]bool{}
	for _, key := range v.MapKeys() {
		names[key.String()] = true
	}
	return sorted(names)
}
