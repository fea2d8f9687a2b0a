package jetstream

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
)

// packFrom is the size from which JSON is compressed: a message holds 1 MB, and a thousand VMs have more to say. They repeat
// one another, so that little of it is left.
const packFrom = 128 << 10

// pack compresses JSON that is large.
func pack(data []byte) ([]byte, error) {
	if len(data) < packFrom {
		return data, nil
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return packed.Bytes(), nil
}

// packed tells what was compressed: JSON never begins so.
func packed(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

// unpack decodes JSON that may be compressed.
func unpack(data []byte, into any) error {
	if !packed(data) {
		return json.Unmarshal(data, into)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	data, err = io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("decompressing: %w", err)
	}
	return json.Unmarshal(data, into)
}
