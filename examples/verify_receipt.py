#!/usr/bin/env python3
"""Verifies a Sallyport receipt offline, from docs/formats alone and with nothing but Python's standard library.

Usage: verify_receipt.py IMAGE.tlog-proof POLICY [IMAGE]     exit 0: everything holds, 7: something does not.
"""
import base64, hashlib, json, sys

# Ed25519, RFC 8032 section 5.1.7, in affine coordinates: slow, short, and enough to check three signatures.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def add(a, b):
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    return (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P

def times(n, point):
    sum_ = (0, 1)
    while n:
        if n & 1: sum_ = add(sum_, point)
        point, n = add(point, point), n >> 1
    return sum_

def decode_point(raw):
    y, sign = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square: x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or y >= P or (x == 0 and sign): raise ValueError("no point")
    return (P - x if x & 1 != sign else x), y

BASE = decode_point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))

def signature_holds(key, message, signature):
    try:
        point, r, s = decode_point(key), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    return len(signature) == 64 and s < L and times(s, BASE) == add(r, times(h, point))

def unbase64(text):
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text: raise ValueError("base64 is not canonical")
    return raw

def sha256(raw): return hashlib.sha256(raw).digest()

def included(index, size, leaf, root, proof):  # RFC 9162 section 2.1.3.2
    if not 0 <= index < size: return False
    node, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0: return False
        if node & 1 or node == last:
            value = sha256(b"\x01" + sibling + value)
            while not node & 1 and node: node, last = node >> 1, last >> 1
        else:
            value = sha256(b"\x01" + value + sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and value == root

def canonical(value): return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def request_holds(permit, origin):  # docs/formats/request.md
    asked, stated = permit["asked"], permit["statement"]
    covered = '("@method" "@path" "@query" "sallyport-vault" "content-digest" "sallyport-statement")'
    digest = base64.b64encode(sha256(canonical(stated))).decode()
    lines = [f'"@method": {asked["method"]}', f'"@path": {asked["path"]}', f'"@query": {asked["query"]}',
             f'"sallyport-vault": {origin}', f'"content-digest": sha-256=:{asked["content_sha256"]}:',
             f'"sallyport-statement": {digest}',
             f'"@signature-params": {covered};created={asked["created"]};nonce="{asked["nonce"]}"'
             f';keyid="{asked["key"]}";alg="ed25519";tag="sallyport"']
    same = stated["capture"] == permit["capture"] and stated["level"] == permit["level"] and stated["grant"] == permit["by"]["grant"]
    path = "/v1/reveals" if permit["for"] == "reveal" else "/v1/releases"
    return same and asked["path"] == path and signature_holds(
        unbase64(asked["key"]), "\n".join(lines).encode(), unbase64(asked["signature"]))

def checks(receipt, policy, image):
    proof, _, note = receipt.partition("\n\n")
    first, extra, index, *hashes = proof.split("\n")
    yield "the file is a tlog-proof", first == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index ")
    raw = unbase64(extra[6:])
    entries, index = json.loads(raw), int(index[6:])
    yield "its extra line is canonical", canonical(entries) == raw and set(entries) == {"entry", "permit"}
    name, key_id, key = next(line for line in policy.splitlines() if line.startswith("log ")).split()[1].split("+", 2)
    key = unbase64(key)
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    ours = [line.split(" ") for line in signatures.splitlines() if line.startswith(f"\u2014 {name} ")]
    signed = [unbase64(words[2]) for words in ours if unbase64(words[2])[:4].hex() == key_id]
    id_holds = sha256(name.encode() + b"\n" + key)[:4].hex() == key_id and key[0] == 1
    yield "the checkpoint is signed by the log's key", id_holds and len(signed) == 1 and signature_holds(key[1:], text.encode(), signed[0][4:])
    origin, size, root = text.splitlines()
    tree = (int(size), unbase64(root))
    leaf = lambda entry: sha256(b"\x00" + entry.encode())
    behind = entries["permit"]
    yield "the log is the one that the policy names", origin == name
    yield "the entry is in that tree", included(index, tree[0], leaf(entries["entry"]), tree[1], [unbase64(h) for h in hashes])
    yield "its permit is in that tree", included(behind["index"], tree[0], leaf(behind["entry"]), tree[1], [unbase64(h) for h in behind["proof"]])
    delivered, permit = json.loads(entries["entry"]), json.loads(behind["entry"])
    yield "an image was delivered, under this permit", delivered["kind"] == "delivered" and delivered["permit"] == behind["index"] < index
    yield "the permit is for a person and this capture", permit["kind"] == "permit" and permit["by"] and permit["capture"] == delivered["capture"]
    yield "the person's signed request holds", request_holds(permit, origin)
    yield "the file's size is the delivered one's", len(image) == delivered["size_bytes"]
    yield "the file's SHA-256 is the delivered one's", hashlib.sha256(image).hexdigest() == delivered["sha256"]

def main(receipt, policy, image=None):
    image = image or receipt.removesuffix(".tlog-proof")
    read = lambda file: open(file, "rb").read()
    try:
        for name, holds in checks(read(receipt).decode(), read(policy).decode(), read(image)):
            print("OK     " if holds else "FAILED ", name)
            if not holds: return 7
    except (ValueError, KeyError, IndexError, TypeError, StopIteration) as error:
        print("FAILED  malformed:", error)
        return 7
    if any(line.startswith("witness ") for line in read(policy).decode().splitlines()):
        print("NOT CHECKED  the cosignatures of the policy's witnesses (sallyport receipt verify does)")
    return 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
