#!/usr/bin/env python3
"""Verifies a Sallyport evidence pack offline, from docs/formats alone and with nothing but Python's standard library.

Usage: verify_pack.py PACK.tar POLICY     exit 0: everything holds, 7: something does not, and it says which member.
"""
import base64, hashlib, io, json, re, sys, tarfile
from datetime import datetime, timezone

from verify_receipt import canonical, included, sha256, signature_holds, unbase64

class Wrong(Exception):
    """A member, and what is wrong with it."""

def must(holds, member, why):
    if not holds: raise Wrong(f"{member}: {why}")

def members_of(raw):
    found = {}
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as tar:
        for info in tar:
            must(info.isfile() and info.name not in found, info.name, "twice, or no file")
            found[info.name] = tar.extractfile(info).read()
    return found

def check_manifest(files):
    names = list(files)
    must(names[-1] == "manifest.json", "manifest.json", "it is not the last member")
    manifest = json.loads(files["manifest.json"])
    must(canonical(manifest) == files["manifest.json"] and manifest["format"] == "sallyport-pack/1", "manifest.json", "not canonical, or of another format")
    for name, said in zip(names, manifest["files"]):
        must(said["name"] == name, name, "manifest.json does not name it in this place")
        is_it = said["size_bytes"] == len(files[name]) and said["sha256"] == hashlib.sha256(files[name]).hexdigest()
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

def root_of(leaves):  # RFC 9162 section 2.1.1, subtree by subtree
    stack = []
    for n, leaf in enumerate(leaves):
        stack.append(leaf)
        while (n + 1) % 2 == 0:
            right = stack.pop()
            stack.append(sha256(b"\x01" + stack.pop() + right))
            n = (n + 1) // 2 - 1
    value = stack.pop() if stack else sha256(b"")
    while stack: value = sha256(b"\x01" + stack.pop() + value)
    return value

def log_of(files):
    """Every entry of the pack's copy of the log, in order."""
    def number(name): return int("".join(re.findall(r"\d{3}", name.removeprefix("log/tile/entries/").split(".p/")[0])))
    entries = []
    for name in sorted((n for n in files if n.startswith("log/tile/entries/")), key=number):
        raw, at = files[name], 0
        while at < len(raw):
            size = int.from_bytes(raw[at:at + 2], "big")
            entries.append(raw[at + 2:at + 2 + size])
            at += 2 + size
    return entries

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

def recount(entries, query, canaries):
    """What left, counted from the entries: docs/formats/pack.md."""
    parents, accused, open_, permits, delivered = {}, set(), set(), [], {}
    cause = query["cause"]
    for index, entry in entries:
        kind = entry["kind"]
        if kind == "genesis": parents[entry["organization"]] = None
        elif kind == "organization.added": parents[entry["organization"]] = entry["statement"]["parent"]
        elif kind == "delivered": delivered[entry["permit"]] = index
        elif kind == "permit" and entry["by"]: permits.append((index, entry))
        elif kind == "trace.closed" and entry["trace"] in cause.get("traces", []):
            for verdict in entry["verdicts"]:
                accused.update(each["person"] for each in verdict["people"])
                if not verdict["people"] and verdict["capture"]: open_.add(verdict["capture"])
    def chain(organization): return [organization] + (chain(parents[organization]) if parents.get(organization) else [])
    def hit(entry):
        by, of = entry["by"], cause["of"]
        if of == "organizations": return any(each in cause["organizations"] for each in chain(by["organization"]))
        if of == "people": return by["person"] in cause["people"]
        if of == "devices": return ((entry["asked"] or {}).get("device") or {}).get("key") in cause["devices"]
        if of == "networks": return by["network"] in cause["networks"]
        return by["person"] in accused or entry["capture"] in open_
    begin, end = time_of(query["from"]), time_of(query["until"])
    left = [(i, e) for i, e in permits if begin <= time_of(e["at"]) < end and hit(e) and e["capture"] not in canaries]
    seen = {}
    for _, entry in left:
        name = (chain(entry["by"]["organization"])[-1], entry["capture"])
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
    series, seen_by = [], lambda day, some: len({e["capture"] for i, e in some if e["at"][:10] <= day})
    for day in sorted({e["at"][:10] for _, e in left}):
        images = {"at_least": seen_by(day, [each for each in left if each[0] in delivered]), "at_most": seen_by(day, left)}
        if not series or series[-1]["images"] != images: series.append({"day": day, "images": images})
    return {
        "images": (len({e["capture"] for i, e in left if i in delivered}), len(ids)),
        "files": (sum(i in delivered for i, _ in left), len(left)),
        "series": series,
        "ids": hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        "by": {"level": parts(rows), "holder": by(lambda e: e["by"]["person"]), "lane": by(lambda e: e["lane"]),
               "capture_day": by(lambda e: e["hour"][:10]), "release_day": by(lambda e: e["at"][:10])},
    }

def check_entries(files, size, root):
    proved = []
    for line in files["entries.ndjson"].decode().splitlines():
        each = json.loads(line)
        raw, proof = each["entry"].encode(), [unbase64(h) for h in each["proof"]]
        must(included(each["index"], size, sha256(b"\x00" + raw), root, proof), "entries.ndjson", f"entry {each['index']} is not in the signed tree")
        proved.append((each["index"], json.loads(raw)))
    return proved

def check_scope(files, manifest, size, root, proved):
    query, result = (json.loads(files[f"scope/{name}.json"]) for name in ("query", "result"))
    for name, value in (("query", query), ("result", result)):
        must(canonical(value) == files[f"scope/{name}.json"], f"scope/{name}.json", "not canonical")
    must(result["query"] == query and result["incident"] == manifest["incident"], "scope/query.json", "it belongs to another result")
    tree, shown = result["checkpoint"], json.loads(files["scope/consistency.json"])
    must((shown["size"], shown["root"]) == (tree["size"], tree["root"]), "scope/consistency.json", "it is of another tree")
    holds = consistent(tree["size"], size, bytes.fromhex(tree["root"]), root, [unbase64(h) for h in shown["proof"]])
    must(holds, "scope/consistency.json", "the signed tree does not extend the scope's")
    digest = lambda name: hashlib.sha256(files[name]).hexdigest()
    said = [e for _, e in proved if e["kind"] == "incident.scoped" and e["incident"] == manifest["incident"]]
    must(any((e["query_sha256"], e["result_sha256"]) == (digest("scope/query.json"), digest("scope/result.json")) for e in said),
         "scope/result.json", "no entry incident.scoped has its digest")
    return query, result

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

def check_statement(files, proved, result):
    """Every number of the statement is the scope's, and two people signed it. False where there is none."""
    stated = [name for name in files if name.startswith("statement/")]
    if not stated: return False
    member = "statement/frozen.json"
    must(member in files, member, "it is missing")
    frozen = json.loads(files[member])
    for name in stated:
        if name == member: continue
        is_it = frozen["files"].get(name.removeprefix("statement/")) == hashlib.sha256(files[name]).hexdigest()
        must(is_it, name, "it is not the one that was signed")
    digest = hashlib.sha256(files[member]).hexdigest()
    motions = [e for _, e in proved if e["kind"] == "motion.proposed" and e["act"] == "sign-statement"
               and e["statement"]["statement_sha256"] == digest and e["statement"]["incident"] == frozen["incident"]]
    must(motions, member, "no motion sign-statement has its digest")
    seconds = [e for _, e in proved if e["kind"] == "motion.seconded" and e["motion"] == motions[0]["motion"] and e["statement"]["decision"] == "second"]
    must(seconds and seconds[0]["asked"]["key"] != motions[0]["asked"]["key"], member, "no second person signed it")
    statement = json.loads(files["statement/statement.json"])
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

def check(raw, policy):
    files = members_of(raw)
    manifest = check_manifest(files)
    yield "every file is the one that the manifest names", None
    origin, size, root = checkpoint_of(files, policy)
    must(manifest["checkpoint"] == {"origin": origin, "size": size, "root": root.hex()}, "manifest.json", "it names another checkpoint")
    yield f"the checkpoint of {size} entries is signed by {origin}, and cosigned as your policy asks", None
    proved = check_entries(files, size, root)
    yield "the entries are in the signed tree", None
    query, result = check_scope(files, manifest, size, root, proved)
    yield "the log says that this was asked and answered", None
    entries = proved
    if manifest["log"] == "whole":
        log = log_of(files)
        is_whole = len(log) == size and root_of([sha256(b"\x00" + entry) for entry in log]) == root
        must(is_whole, "log/tile", "its entries do not lead to the signed root")
        entries = [(i, json.loads(entry)) for i, entry in enumerate(log)]
        yield "every entry up to the checkpoint is there: none was left out", None
    counted = recount([each for each in entries if each[0] < result["checkpoint"]["size"]], query, set(result["canaries_left"]))
    check_count(counted, result)
    yield "counted again: images %d to %d, files %d to %d, by level, holder, lane and day" % (*counted["images"], *counted["files"]), None
    if check_statement(files, proved, result): yield "every number of the statement is the scope's, and two people signed it", None
    else: yield None, "a statement: the pack has none that two people signed"
    if manifest["log"] != "whole": yield None, "whether a permit was left out: that takes the whole log"
    canaries = len(result["canaries_left"])
    if canaries: yield None, f"that {canaries} of the captures that left are canaries: the vault says so, which has their key"
    yield None, "authors' signatures and verdicts of the entries (sallyport incident verify-pack judges them)"

def main(pack, policy):
    try:
        raw = open(pack, "rb").read()
        for holds, not_checked in check(raw, open(policy).read()):
            print(f"OK      {holds}" if holds else f"NOT CHECKED  {not_checked}")
    except Wrong as wrong:
        print("FAILED ", wrong)
        return 7
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, tarfile.TarError) as error:
        print("FAILED  malformed:", repr(error))
        return 7
    return 0

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
