// Verifies a Sallyport log from outside: with Go's own transparency log packages, and nothing of Sallyport.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run main.go --url http://127.0.0.1:7300/log --vkey VKEY
//
// With --witness VKEY, as often as there are witnesses, their cosignatures (c2sp.org/tlog-cosignature) must hold too.
//
// It reads /checkpoint, the hash tiles and the entry bundles (c2sp.org/tlog-tiles) and checks the signature, every tile against
// the tile below it, every entry's inclusion, the root, and the consistency of older sizes with the newest.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

var base string

func fail(format string, args ...interface{}) {
	fmt.Printf("FAILED  "+format+"\n", args...)
	os.Exit(1)
}

func ok(format string, args ...interface{}) { fmt.Printf("OK      "+format+"\n", args...) }

func get(path string) []byte {
	if !strings.HasPrefix(base, "http") {
		data, err := os.ReadFile(base + "/" + path)
		if err != nil {
			fail("%s: %v", path, err)
		}
		return data
	}
	response, err := http.Get(base + "/" + path)
	if err != nil {
		fail("%s: %v", path, err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil || response.StatusCode != 200 {
		fail("%s: status %d, %v", path, response.StatusCode, err)
	}
	return data
}

// number is N in groups of three digits, all but the last with an x.
func number(n int64) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	return text
}

func partial(w int64) string {
	if w == width {
		return ""
	}
	return ".p/" + strconv.FormatInt(w, 10)
}

// levels holds the hashes of each tile level: level l, hash i covers 256^l leaves.
type levels [][]tlog.Hash

// ReadHashes gives stored hashes by Go's own numbering, from the tiles.
func (l levels) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		out[i] = l.node(level, n)
	}
	return out, nil
}

func (l levels) node(level int, n int64) tlog.Hash {
	if level%8 == 0 {
		return l[level/8][n]
	}
	return tlog.NodeHash(l.node(level-1, 2*n), l.node(level-1, 2*n+1))
}

func readTiles(size int64) levels {
	var all levels
	for level, count := 0, size; count > 0; level, count = level+1, count/width {
		var hashes []tlog.Hash
		for n := int64(0); n*width < count; n++ {
			w := count - n*width
			if w > width {
				w = width
			}
			data := get(fmt.Sprintf("tile/%d/%s%s", level, number(n), partial(w)))
			if int64(len(data)) != w*tlog.HashSize {
				fail("tile %d/%d has %d bytes, not %d hashes", level, n, len(data), w)
			}
			for i := int64(0); i < w; i++ {
				var h tlog.Hash
				copy(h[:], data[i*tlog.HashSize:])
				hashes = append(hashes, h)
			}
		}
		all = append(all, hashes)
	}
	return all
}

func fold(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(fold(hashes[:half]), fold(hashes[half:]))
}

// witness verifies cosignature/v1: 8 bytes of Unix seconds, then Ed25519 over the time and the checkpoint.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	seen time.Time
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, msg)
	if seconds == 0 || !ed25519.Verify(w.key, []byte(signed), sig[8:]) {
		return false
	}
	w.seen = time.Unix(int64(seconds), 0).UTC()
	return true
}

func newWitness(vkey string) *witness {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("a witness's key is NAME+ID+KEY")
	}
	id, err := strconv.ParseUint(parts[1], 16, 32)
	key, err2 := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || err2 != nil || len(key) != 33 || key[0] != 4 {
		fail("the key of %s is no cosignature/v1 key", parts[0])
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if binary.BigEndian.Uint32(sum[:]) != uint32(id) {
		fail("the id of %s is not that of its key", parts[0])
	}
	return &witness{name: parts[0], hash: uint32(id), key: key[1:]}
}

type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func main() {
	var asked list
	flag.Var(&asked, "witness", "a witness's key, as you pinned it; again for each")
	url := flag.String("url", "", "where the log is read: a URL, or a folder of the same layout")
	vkey := flag.String("vkey", "", "the log's key, as you pinned it")
	flag.Parse()
	base = strings.TrimSuffix(*url, "/")

	verifier, err := note.NewVerifier(*vkey)
	if err != nil {
		fail("the key: %v", err)
	}
	verifiers := []note.Verifier{verifier}
	var witnesses []*witness
	for _, vkey := range asked {
		w := newWitness(vkey)
		witnesses = append(witnesses, w)
		verifiers = append(verifiers, w)
	}
	opened, err := note.Open(get("checkpoint"), note.VerifierList(verifiers...))
	if err != nil {
		fail("the checkpoint's signature: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("the checkpoint is not three lines of the log %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	rootBytes, err2 := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || err2 != nil || len(rootBytes) != tlog.HashSize {
		fail("the checkpoint's size or root")
	}
	var root tlog.Hash
	copy(root[:], rootBytes)
	signed := map[string]bool{}
	for _, sig := range opened.Sigs {
		signed[fmt.Sprint(sig.Name, sig.Hash)] = true
	}
	if !signed[fmt.Sprint(verifier.Name(), verifier.KeyHash())] {
		fail("the checkpoint is not signed by %s", verifier.Name())
	}
	ok("checkpoint of %d entries signed by %s", size, verifier.Name())
	for _, w := range witnesses {
		if !signed[fmt.Sprint(w.name, w.hash)] {
			fail("the checkpoint is not cosigned by %s", w.name)
		}
		ok("cosigned by %s at %s", w.name, w.seen.Format(time.RFC3339))
	}

	tiles := readTiles(size)
	rolled := 0
	for level := 1; level < len(tiles); level++ {
		for n, h := range tiles[level] {
			if fold(tiles[level-1][n*width:(n+1)*width]) != h {
				fail("hash %d of level %d is not that of the tile below", n, level)
			}
			rolled++
		}
	}
	ok("%d levels of tiles, %d hashes rolled up", len(tiles), rolled)

	computed, err := tlog.TreeHash(size, tiles)
	if err != nil || computed != root {
		fail("the tiles do not lead to the signed root: %v", err)
	}
	ok("the tiles lead to the signed root")

	checked := int64(0)
	for n := int64(0); n*width < size; n++ {
		w := size - n*width
		if w > width {
			w = width
		}
		data := get(fmt.Sprintf("tile/entries/%s%s", number(n), partial(w)))
		for i := int64(0); i < w; i++ {
			if len(data) < 2 || len(data) < 2+int(data[0])<<8+int(data[1]) {
				fail("bundle %d is cut", n)
			}
			length := int(data[0])<<8 + int(data[1])
			index := n*width + i
			hash := tlog.RecordHash(data[2 : 2+length])
			data = data[2+length:]
			proof, err := tlog.ProveRecord(size, index, tiles)
			if err != nil {
				fail("proof of entry %d: %v", index, err)
			}
			if err := tlog.CheckRecord(proof, size, root, index, hash); err != nil {
				fail("entry %d is not in the tree: %v", index, err)
			}
			checked++
		}
		if len(data) != 0 {
			fail("bundle %d has bytes behind its entries", n)
		}
	}
	ok("inclusion of all %d entries", checked)

	for _, older := range []int64{1, size / 3, size / 2, size - 1} {
		if older < 1 || older >= size {
			continue
		}
		olderRoot, err := tlog.TreeHash(older, tiles)
		if err != nil {
			fail("the tree of size %d: %v", older, err)
		}
		proof, err := tlog.ProveTree(size, older, tiles)
		if err != nil {
			fail("consistency from %d: %v", older, err)
		}
		if err := tlog.CheckTree(proof, size, root, older, olderRoot); err != nil {
			fail("the tree of size %d is no prefix: %v", older, err)
		}
		ok("the tree of size %d is a prefix", older)
	}
}
