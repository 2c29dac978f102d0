#!/usr/bin/env python3
"""Verifies a Sallyport evidence pack offline, from docs/formats alone and with nothing but Python's standard library.

Usage: verify_pack.py PACK.tar POLICY     exit 0: everything holds, 7: something does not, and it says which member.
"""
import hashlib, json, re, sys
from datetime import datetime, timezone

from verify_receipt import canonical, sha256, signature_holds, unbase64

BLOCK, LARGEST, MOST, MEMBERS, LINES = 512, 64 << 20, 8 << 30, 100_000, 1024
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,7}")

class Wrong(Exception):
    """A member, and what is wrong with it; code PACK, or TOO_LARGE."""
    code = "PACK"

class TooLarge(Wrong):
    code = "TOO_LARGE"

def must(holds, member, why, kind=Wrong):
    if not holds: raise kind(f"{member}: {why}")

def header_of(name, size):
    """POSIX ustar: one name and size have one header in a pack."""
    head = bytearray(BLOCK)
    def put(at, text): head[at:at + len(text)] = text.encode()
    put(0, name)
    for at, text in ((100, "000644 "), (108, "000000 "), (116, "000000 "), (124, f"{size:011o} "), (136, "00000000000 "),
                     (156, "0"), (257, "ustar\0" + "00"), (329, "000000 "), (337, "000000 ")): put(at, text)
    put(148, f"{sum(head) + 8 * 32:06o} ")
    return bytes(head)

class Pack:
    """The members of an archive, in order. Nothing is unpacked, and a member's bytes are read when they are asked for."""
    def __init__(self, file):
        self.file, self.members = file, {}
        size = file.seek(0, 2)
        must(size <= MOST, "archive", "larger than 8 GiB", TooLarge)
        at = 0
        while True:
            head = self.part(at, BLOCK)
            compressed = at == 0 and head[:2] in (b"\x1f\x8b", b"PK", b"\x28\xb5")
            must(not compressed, "archive", "it is compressed, and a pack is a plain tar; it was not unpacked")
            must(len(head) == BLOCK, "archive", "it was cut short: its end is missing")
            if not any(head): break
            at = self.member(head, at + BLOCK)
        end = self.part(at, 2 * BLOCK)
        must(len(end) == 2 * BLOCK and not any(end), "archive", "it was cut short: its end is missing")
        must(at + 2 * BLOCK == size, "archive", "it has bytes behind its end")
        must(self.members, "archive", "it is empty")

    def member(self, head, at):
        name, digits = head[:100].split(b"\0")[0].decode("utf-8", "replace"), head[124:135]
        size = int(digits, 8) if re.fullmatch(rb"[0-7]{11}", digits) else -1
        must(head[156:157] == b"0" or not NAME.fullmatch(name), name, "it is no file: a link, a folder or a device")
        must(NAME.fullmatch(name), repr(name), "it is a name that no pack has")
        must(name not in self.members, name, "it is there twice")
        must(size >= 0 and head == header_of(name, size), name, "its header was changed, or is not one of a pack")
        must(size <= LARGEST and len(self.members) < MEMBERS, name, "larger than 64 MiB, or beyond 100,000 members", TooLarge)
        whole = -(-size // BLOCK) * BLOCK
        raw = self.part(at, whole)
        must(len(raw) == whole, name, "the archive was cut short in it")
        must(not any(raw[size:]), name, "its padding was changed")
        self.members[name] = (at, size, hashlib.sha256(raw[:size]).hexdigest())
        return at + whole

    def part(self, at, size):
        self.file.seek(at)
        return self.file.read(size)

    def __iter__(self): return iter(self.members)
    def __contains__(self, name): return name in self.members
    def __getitem__(self, name):
        must(name in self.members, name, "it is missing")
        return self.part(*self.members[name][:2])
    def digest(self, name): return self.members[name][2]
    def size(self, name): return self.members[name][1]

def parsed(files, name):
    try: return json.loads(files[name])
    except ValueError: raise Wrong(f"{name}: it is no JSON")

def check_manifest(files):
    names = list(files)
    must(names[-1] == "manifest.json", "manifest.json", "it is not the last member")
    manifest = parsed(files, "manifest.json")
    must(canonical(manifest) == files["manifest.json"] and manifest["format"] == "sallyport-pack/1", "manifest.json", "not canonical, or of another format")
    for name, said in zip(names, manifest["files"]):
        must(said["name"] == name, name, "manifest.json does not name it in this place")
        is_it = said["size_bytes"] == files.size(name) and said["sha256"] == files.digest(name)
        must(is_it, name, "its size or SHA-256 is not what manifest.json says")
    must(len(manifest["files"]) == len(names) - 1, "manifest.json", "it names files that are not there")
    return manifest

def key_of(vkey):
    name, key_id, key = vkey.split("+", 2)
    key = unbase64(key)
    must(sha256(name.encode() + b"\n" + key)[:4].hex() == key_id, "policy", f"the key of {name} is malformed")
    return name, key_id, key

def checkpoint_of(files, policy):  # c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy
    member, note = "log/checkpoint", files["log/checkpoint"].decode()
    text, signatures = note.rsplit("\n\n", 1)
    text += "\n"
    lines = [line.split(" ") for line in signatures.splitlines()]
    def signed(vkey):
        name, key_id, key = key_of(vkey)
        for words in lines:
            raw = unbase64(words[2])
            if words[0] != "\u2014" or words[1] != name or raw[:4].hex() != key_id: continue
            if key[0] == 1: return signature_holds(key[1:], text.encode(), raw[4:])
            time = int.from_bytes(raw[4:12], "big")
            return key[0] == 4 and signature_holds(key[1:], f"cosignature/v1\ntime {time}\n{text}".encode(), raw[12:])
        return False
    rows = [line.split() for line in policy.splitlines() if line.strip() and not line.startswith("#")]
    logs = [row[1] for row in rows if row[0] == "log"]
    origin, size, root = text.splitlines()
    must(any(key_of(vkey)[0] == origin and signed(vkey) for vkey in logs), member, "the log's key did not sign it")
    there = {row[1] for row in rows if row[0] == "witness" and signed(row[2])}
    for row in rows:
        if row[0] == "group":
            needed = {"any": 1, "all": len(row) - 3}.get(row[2]) or int(row[2])
            if sum(name in there for name in row[3:]) >= needed: there.add(row[1])
    quorum = next(row[1] for row in rows if row[0] == "quorum")
    must(quorum == "none" or quorum in there, member, "the witnesses of your policy's quorum did not cosign it")
    return origin, int(size), unbase64(root)

def tile_path(level, index, width):  # c2sp.org/tlog-tiles
    digits = str(index).zfill(-(-len(str(index)) // 3) * 3)
    groups = re.findall(r"\d{3}", digits)
    return f"log/tile/{level}/" + "/".join(["x" + g for g in groups[:-1]] + groups[-1:]) + (f".p/{width}" if width < 256 else "")

def fold(hashes):  # the root of 1, 2, 4, ... 256 hashes
    while len(hashes) > 32:
        hashes = b"".join(sha256(b"\x01" + hashes[at:at + 64]) for at in range(0, len(hashes), 64))
    return hashes

class Tiles:
    """Leaves of the signed tree: each tile's root is a hash of the tile above it, and those at the edge make the root."""
    def __init__(self, files, size, root):
        self.files, self.edge, self.held, self.used = files, {}, {}, set()
        level, count = 0, size
        while count:
            if count % 256: self.edge[level] = (count // 256, self.read(level, count // 256, count % 256))
            level, count = level + 1, count // 256
        roots = []
        for level in sorted(self.edge, reverse=True):
            hashes, at = self.edge[level][1], 0
            for bit in (128, 64, 32, 16, 8, 4, 2, 1):
                if len(hashes) // 32 & bit:
                    roots.append(fold(hashes[at * 32:(at + bit) * 32]))
                    at += bit
        value = roots.pop()
        while roots: value = sha256(b"\x01" + roots.pop() + value)
        must(value == root, "log/tile", "the tiles at its edge do not lead to the signed root")

    def read(self, level, index, width):
        path = tile_path(level, index, width)
        hashes = self.files[path]
        must(len(hashes) == width * 32, path, "it is of another width")
        self.used.add(path)
        return hashes

    def tile(self, level, index):
        if self.edge.get(level, (None,))[0] == index: return self.edge[level][1]
        if self.held.get(level, (None,))[0] != index:
            hashes, above = self.read(level, index, 256), self.tile(level + 1, index // 256)
            must(fold(hashes) == above[index % 256 * 32:][:32], tile_path(level, index, 256), "it is not the one that the tile above it names")
            self.held[level] = (index, hashes)
        return self.held[level][1]

    def leaf(self, index): return self.tile(0, index // 256)[index % 256 * 32:][:32]

class Tree:  # RFC 9162 section 2.1.1, leaf by leaf
    def __init__(self): self.size, self.stack = 0, []
    def add(self, leaf):
        self.stack.append(leaf)
        n, self.size = self.size, self.size + 1
        while n % 2:
            right = self.stack.pop()
            self.stack.append(sha256(b"\x01" + self.stack.pop() + right))
            n //= 2
    def root(self):
        value, *larger = self.stack[::-1] or [sha256(b"")]
        for left in larger: value = sha256(b"\x01" + left + value)
        return value

def log_entries(files, tree):
    """Every entry of the pack's copy of the log, in order; `tree` takes their leaves."""
    def number(name): return int("".join(re.findall(r"\d{3}", name.removeprefix("log/tile/entries/").split(".p/")[0])))
    for name in sorted((n for n in files if n.startswith("log/tile/entries/")), key=number):
        raw, at = files[name], 0
        while at < len(raw):
            size = int.from_bytes(raw[at:at + 2], "big")
            entry = raw[at + 2:at + 2 + size]
            at += 2 + size
            must(at <= len(raw), name, "it was cut short")
            tree.add(sha256(b"\x00" + entry))
            yield tree.size - 1, json.loads(entry)

def consistent(old, new, old_root, new_root, proof):  # RFC 9162 section 2.1.4.2
    if old == new: return not proof and old_root == new_root
    if old & (old - 1) == 0: proof = [old_root] + proof
    if not proof: return False
    node, last = old - 1, new - 1
    while node & 1: node, last = node >> 1, last >> 1
    older = newer = proof[0]
    for sibling in proof[1:]:
        if last == 0: return False
        if node & 1 or node == last:
            older, newer = sha256(b"\x01" + sibling + older), sha256(b"\x01" + sibling + newer)
            while not node & 1 and node: node, last = node >> 1, last >> 1
        else:
            newer = sha256(b"\x01" + newer + sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and (older, newer) == (old_root, new_root)

def time_of(text): return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)

SIGHT = {"L0": 0, "L1": 1, "L2": 3, "L3": 5, "L4": 15}

class Recount:
    """What left, counted from the entries: docs/formats/pack.md."""
    def __init__(self, query, canaries):
        self.query, self.cause, self.canaries = query, query["cause"], canaries
        self.parents, self.accused, self.open, self.permits, self.delivered = {}, set(), set(), [], set()

    def take(self, index, entry):
        kind = entry["kind"]
        if kind == "genesis": self.parents[entry["organization"]] = None
        elif kind == "organization.added": self.parents[entry["organization"]] = entry["statement"]["parent"]
        elif kind == "delivered": self.delivered.add(entry["permit"])
        elif kind == "permit" and entry["by"]:
            device = ((entry["asked"] or {}).get("device") or {}).get("key")
            kept = {name: entry[name] for name in ("at", "capture", "lane", "hour", "level")}
            by = entry["by"]
            self.permits.append((index, {**kept, "organization": by["organization"], "person": by["person"], "network": by["network"], "device": device}))
        elif kind == "trace.closed" and entry["trace"] in self.cause.get("traces", []):
            for verdict in entry["verdicts"]:
                self.accused.update(each["person"] for each in verdict["people"])
                if not verdict["people"] and verdict["capture"]: self.open.add(verdict["capture"])

    def chain(self, organization):
        return [organization] + (self.chain(self.parents[organization]) if self.parents.get(organization) else [])

    def hit(self, entry):
        of, cause = self.cause["of"], self.cause
        if of == "organizations": return any(each in cause["organizations"] for each in self.chain(entry["organization"]))
        if of == "people": return entry["person"] in cause["people"]
        if of == "devices": return entry["device"] in cause["devices"]
        if of == "networks": return entry["network"] in cause["networks"]
        return entry["person"] in self.accused or entry["capture"] in self.open

    def figures(self):
        begin, end = time_of(self.query["from"]), time_of(self.query["until"])
        left = [(i, e) for i, e in self.permits if begin <= time_of(e["at"]) < end and self.hit(e) and e["capture"] not in self.canaries]
        seen = {}
        for _, entry in left:
            name = (self.chain(entry["organization"])[-1], entry["capture"])
            sight, files = seen.get(name, (0, 0))
            seen[name] = (sight | SIGHT[entry["level"]], files + 1)
        levels = {value: name for name, value in SIGHT.items()}
        rows = [(levels.get(sight, "L4"), capture) for (_, capture), (sight, files) in seen.items() for _ in range(files)]
        def parts(pairs):
            held = {}
            for key, capture in pairs: held.setdefault(key, []).append(capture)
            return [{"files": len(held[key]), "images": len(set(held[key])), "key": key} for key in sorted(held)]
        by = lambda pick: parts((pick(entry), entry["capture"]) for _, entry in left)
        ids = sorted({entry["capture"] for _, entry in left})
        series, seen_by = [], lambda day, some: len({e["capture"] for _, e in some if e["at"][:10] <= day})
        out = [each for each in left if each[0] in self.delivered]
        for day in sorted({e["at"][:10] for _, e in left}):
            images = {"at_least": seen_by(day, out), "at_most": seen_by(day, left)}
            if not series or series[-1]["images"] != images: series.append({"day": day, "images": images})
        return {
            "series": series,
            "images": (len({e["capture"] for i, e in left if i in self.delivered}), len(ids)),
            "files": (sum(i in self.delivered for i, _ in left), len(left)),
            "ids": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
            "by": {"level": parts(rows), "holder": by(lambda e: e["person"]), "lane": by(lambda e: e["lane"]),
                   "capture_day": by(lambda e: e["hour"][:10]), "release_day": by(lambda e: e["at"][:10])},
        }

def proved_entries(files, tiles, size):
    """The entries of `entries/0000.ndjson` and on, each proved to be in the signed tree."""
    before, names = -1, [name for name in files if name.startswith("entries/")]
    for nth, name in enumerate(names):
        must(name == f"entries/{nth:04}.ndjson", name, "it is not the next member of entries")
        lines = files[name].decode().split("\n")
        must(lines.pop() == "" and (len(lines) == LINES or nth == len(names) - 1 and len(lines) < LINES), name, "it has another number of lines")
        for number, line in enumerate(lines, 1):
            try: each = json.loads(line)
            except ValueError: raise Wrong(f"{name}: line {number}: it is no JSON")
            must(canonical(each) == line.encode() and set(each) == {"entry", "index"}, name, f"line {number}: it is not canonical")
            index, raw = each["index"], each["entry"].encode()
            must(before < index < size, name, f"line {number}: it is out of order")
            must(tiles.leaf(index) == sha256(b"\x00" + raw), name, f"line {number}: entry {index} is not in the signed tree")
            before = index
            yield index, json.loads(raw)

def check_scope(files, manifest, size, root):
    query, result = (parsed(files, f"scope/{name}.json") for name in ("query", "result"))
    for name, value in (("query", query), ("result", result)):
        must(canonical(value) == files[f"scope/{name}.json"], f"scope/{name}.json", "not canonical")
    must(result["query"] == query and result["incident"] == manifest["incident"], "scope/query.json", "it belongs to another result")
    tree, shown = result["checkpoint"], parsed(files, "scope/consistency.json")
    must((shown["size"], shown["root"]) == (tree["size"], tree["root"]), "scope/consistency.json", "it is of another tree")
    holds = consistent(tree["size"], size, bytes.fromhex(tree["root"]), root, [unbase64(h) for h in shown["proof"]])
    must(holds, "scope/consistency.json", "the signed tree does not extend the scope's")
    return query, result

def check_scoped(files, manifest, own):
    said = [e for e in own if e["kind"] == "incident.scoped" and e["incident"] == manifest["incident"]]
    must(any((e["query_sha256"], e["result_sha256"]) == (files.digest("scope/query.json"), files.digest("scope/result.json")) for e in said),
         "scope/result.json", "no entry incident.scoped has its digest")

def check_count(counted, result):
    member, left = "scope/result.json", result["left"]
    for unit in ("images", "files"):
        must(counted[unit] == (left[unit]["at_least"], left[unit]["at_most"]), member, f"{unit}: the entries say {counted[unit]}")
    must(counted["ids"] == result["ids_sha256"]["left"], member, "the captures that left are others")
    for key, parts in counted["by"].items():
        said = sorted(result["left_by"][key], key=lambda part: part["key"])
        must(canonical(parts) == canonical(said), member, f"by {key}: the entries say otherwise")
    series = [{"day": each["day"], "images": each["images"]} for each in result.get("left_series", counted["series"])]
    must(series == counted["series"], member, "images by the end of each day: the entries say otherwise")

def value_at(document, pointer):
    for name in pointer.split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document

def check_statement(files, own, result):
    """Every number of the statement is the scope's, and two people signed it. False where there is none."""
    stated = [name for name in files if name.startswith("statement/")]
    if not stated: return False
    member = "statement/frozen.json"
    must(member in files, member, "it is missing")
    frozen = parsed(files, member)
    for name in stated:
        if name == member: continue
        is_it = frozen["files"].get(name.removeprefix("statement/")) == files.digest(name)
        must(is_it, name, "it is not the one that was signed")
    digest = files.digest(member)
    motions = [e for e in own if e["kind"] == "motion.proposed" and e["act"] == "sign-statement"
               and e["statement"]["statement_sha256"] == digest and e["statement"]["incident"] == frozen["incident"]]
    must(motions, member, "no motion sign-statement has its digest")
    seconds = [e for e in own if e["kind"] == "motion.seconded" and e["motion"] == motions[0]["motion"] and e["statement"]["decision"] == "second"]
    must(seconds and seconds[0]["asked"]["key"] != motions[0]["asked"]["key"], member, "no second person signed it")
    statement = parsed(files, "statement/statement.json")
    must(statement["checkpoint"] == result["checkpoint"], "statement/statement.json", "it is of another scope")
    sources = {"scope": result, "facts": statement["facts"], "clocks": statement["clocks"], "thresholds": statement.get("thresholds", [])}
    for each in statement["references"]:
        if each["form"] == "rule": continue
        value = value_at(sources[each["source"]], each["at"])
        if each["form"] == "moment": value = moment_said(value)
        numbers = [value] if each["form"] == "number" else [value["at_least"], value["at_most"]] if each["form"] == "bounds" else []
        holds = all(f"{number:,}" in each["text"] for number in numbers) if numbers else value == each["text"]
        must(holds, "statement/statement.json", f"reference {each['id']} says {each['text']!r}, and {each['at']} does not")
    return True

def moment_said(text):
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    name = "January February March April May June July August September October November December".split()[at.month - 1]
    return f"{at.day} {name} {at.year}" + (f", {at:%H:%M} UTC" if "T" in text else "")

def check(file, policy):
    files = Pack(file)
    manifest = check_manifest(files)
    yield "every file is the one that the manifest names", None
    origin, size, root = checkpoint_of(files, policy)
    must(manifest["checkpoint"] == {"origin": origin, "size": size, "root": root.hex()}, "manifest.json", "it names another checkpoint")
    yield f"the checkpoint of {size} entries is signed by {origin}, and cosigned as your policy asks", None
    query, result = check_scope(files, manifest, size, root)
    counted, scoped, own = Recount(query, set(result["canaries_left"])), result["checkpoint"]["size"], []
    is_whole, tiles = manifest["log"] == "whole", Tiles(files, size, root)
    for index, entry in proved_entries(files, tiles, size):
        if "incident" in entry or entry["kind"].startswith("motion."): own.append(entry)
        if not is_whole and index < scoped: counted.take(index, entry)
    stray = [name for name in files if name.startswith("log/tile/") and name not in tiles.used and not is_whole]
    must(not stray, stray and stray[0], "no entry of the pack needs it")
    yield "the entries are in the signed tree", None
    check_scoped(files, manifest, own)
    yield "the log says that this was asked and answered", None
    if is_whole:
        tree = Tree()
        for index, entry in log_entries(files, tree):
            if index < scoped: counted.take(index, entry)
        must((tree.size, tree.root()) == (size, root), "log/tile", "its entries do not lead to the signed root")
        yield "every entry up to the checkpoint is there: none was left out", None
    figures = counted.figures()
    check_count(figures, result)
    yield "counted again: images %d to %d, files %d to %d, by level, holder, lane and day" % (*figures["images"], *figures["files"]), None
    if check_statement(files, own, result): yield "every number of the statement is the scope's, and two people signed it", None
    else: yield None, "a statement: the pack has none that two people signed"
    if "statement/statement.pdf" in files: yield None, "that the PDF says what statement.json says (sallyport incident verify-pack makes it again)"
    if not is_whole: yield None, "whether a permit was left out: that takes the whole log"
    canaries = len(result["canaries_left"])
    if canaries: yield None, f"that {canaries} of the captures that left are canaries: the vault says so, which has their key"
    yield None, "authors' signatures and verdicts of the entries (sallyport incident verify-pack judges them)"

def main(pack, policy):
    try:
        with open(pack, "rb") as file:
            for holds, not_checked in check(file, open(policy).read()):
                print(f"OK      {holds}" if holds else f"NOT CHECKED  {not_checked}")
    except Wrong as wrong:
        print(f"FAILED  {wrong.code}  {wrong}")
        return 7
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration, RecursionError) as error:
        print("FAILED  PACK  malformed:", repr(error))
        return 7
    return 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
