// Checks a published log and proofs of it with Go's own code (golang.org/x/mod/sumdb).
//
//	check LOG_FOLDER VERIFIER_KEY PROOFS
//
// The checkpoint must be a note that `note.Open` accepts. Every tile is read through
// `tlog.TileHashReader`, which checks it against the signed root; every leaf of every bundle must
// hash to its record hash there. Then `tlog` proves records and trees from the tiles, and the proofs
// in the file PROOFS, made elsewhere, must be judged as the file says.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// A tile's path here has no height in it: it is always 8.
func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), strings.Replace(path, "tile/8/", "tile/", 1)))
}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		content, err := f.read(tile.Path())
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}

type given struct {
	What  string   `json:"what"`
	Good  bool     `json:"good"`
	Index int64    `json:"index"`
	Old   int64    `json:"old"`
	New   int64    `json:"new"`
	Proof []string `json:"proof"`
	Leaf  string   `json:"leaf"`
	From  string   `json:"old_root"`
	To    string   `json:"root"`
}

func must(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func hash(text string) tlog.Hash {
	var one tlog.Hash
	content, err := hex.DecodeString(text)
	must(err)
	copy(one[:], content)
	return one
}

func hashes(texts []string) []tlog.Hash {
	var all []tlog.Hash
	for _, text := range texts {
		all = append(all, hash(text))
	}
	return all
}

func open(f folder, vkey string) tlog.Tree {
	content, err := f.read("checkpoint")
	must(err)
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(content, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		must(fmt.Errorf("origin is not the name of the key"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// Every leaf of every bundle against the record hashes of the tiles.
func leaves(f folder, tree tlog.Tree, reader tlog.HashReader) {
	for first := int64(0); first < tree.N; first += 1 << height {
		width := tree.N - first
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/8/entries/", 1)
		bundle, err := f.read(path)
		must(err)
		var places []int64
		for n := first; n < first+width; n++ {
			places = append(places, tlog.StoredHashIndex(0, n))
		}
		found, err := reader.ReadHashes(places)
		must(err)
		for n := int64(0); n < width; n++ {
			size := binary.BigEndian.Uint16(bundle)
			leaf := bundle[2 : 2+size]
			bundle = bundle[2+size:]
			if tlog.RecordHash(leaf) != found[n] {
				must(fmt.Errorf("leaf %d is not that of the tiles", first+n))
			}
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("bundle %s has too much in it", path))
		}
	}
}

// Proofs made by Go from our tiles.
func prove(tree tlog.Tree, reader tlog.HashReader) (records, trees int) {
	for n := int64(0); n < tree.N; n += 1 + tree.N/300 {
		stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
		must(err)
		proof, err := tlog.ProveRecord(tree.N, n, reader)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, n, stored[0]))
		records++
		older, err := tlog.TreeHash(n+1, reader)
		must(err)
		growth, err := tlog.ProveTree(tree.N, n+1, reader)
		must(err)
		must(tlog.CheckTree(growth, tree.N, tree.Hash, n+1, older))
		trees++
	}
	return records, trees
}

// Proofs made elsewhere, good and broken.
func judge(path string) (good, bad int) {
	content, err := os.ReadFile(path)
	must(err)
	var all []given
	must(json.NewDecoder(bytes.NewReader(content)).Decode(&all))
	for _, one := range all {
		if one.Old > 0 {
			proof := tlog.TreeProof(hashes(one.Proof))
			err = tlog.CheckTree(proof, one.New, hash(one.To), one.Old, hash(one.From))
		} else {
			proof := tlog.RecordProof(hashes(one.Proof))
			err = tlog.CheckRecord(proof, one.New, hash(one.To), one.Index, hash(one.Leaf))
		}
		if (err == nil) != one.Good {
			must(fmt.Errorf("proof %q was judged wrong (%v)", one.What, err))
		}
		if one.Good {
			good++
		} else {
			bad++
		}
	}
	return good, bad
}

func main() {
	f := folder(os.Args[1])
	tree := open(f, os.Args[2])
	reader := tlog.TileHashReader(tree, f)
	leaves(f, tree, reader)
	records, trees := prove(tree, reader)
	good, bad := judge(os.Args[3])
	fmt.Printf("accepted %d entries, %d records and %d trees proven, %d proofs good and %d bad\n",
		tree.N, records, trees, good, bad)
}
