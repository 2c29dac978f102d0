#!/usr/bin/env python3
"""Judges a trace's accusations again, from the report alone: docs/formats/mark.md in Python's standard library.

usage: verify_trace.py REPORT.json
For each person that the mark of one file names: the keys are those that the permit committed to, and the bound follows from
chips and evidence. Then check the receipt of the permit as any other: verify_receipt.py.
"""
import base64, hashlib, json, math, struct, sys

BIASES = (7386 / 65536, 0.5, 58150 / 65536)
BOUNDS = (7386, 32768, 58150)
EMPHASES = {"all": (1, 1, 1), "rarer": (1, -0.5, 1)}


def chacha20(key, length):
    """RFC 8439, nonce 0 and counter 0 on."""
    out, words = bytearray(), struct.unpack("<8I", key)
    for counter in range((length + 63) // 64):
        start = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *words, counter, 0, 0, 0)
        x = list(start)
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                               (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                for p, q, r, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    x[p] = (x[p] + x[q]) & 0xFFFFFFFF
                    mixed = x[r] ^ x[p]
                    x[r] = ((mixed << turn) | (mixed >> (32 - turn))) & 0xFFFFFFFF
        out += struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(x, start)))
    return bytes(out[:length])


def draws(key, count):
    return struct.unpack(f"<{count}H", chacha20(key, 2 * count))


def permit_of(receipt):
    extra = json.loads(base64.b64decode(receipt.split("\n")[1].split(" ", 1)[1]))
    inner = extra.get("permit") or extra
    return json.loads(inner["entry"])


def log10_bound(evidence, biases, score):
    """The least over lambda; any lambda gives a bound that holds, so a coarse search errs on the safe side."""
    def exponent(rate):
        total = -rate * score
        for z, which in zip(evidence, biases):
            if z:
                p = BIASES[which]
                total += math.log(p * math.exp(rate * z * math.sqrt((1 - p) / p)) +
                                  (1 - p) * math.exp(-rate * z * math.sqrt(p / (1 - p))))
        return total
    rate = score / sum(z * z for z in evidence)
    return min(exponent(rate * factor) for factor in (0.6, 0.8, 0.9, 1.0, 1.1, 1.3)) / math.log(10)


def judge(person, tried_log10):
    proof = person["proof"]
    bias_key, codeword_key = (base64.b64decode(proof[name]) for name in ("bias_key", "codeword_key"))
    domain = b"sallyport-mark/v1\0commitment\0"
    committed = hashlib.sha256(domain + bias_key + codeword_key).hexdigest()
    permit = permit_of(person["receipt"])
    if not committed == proof["mark_sha256"] == permit["mark_sha256"] or permit["by"]["person"] != person["person"]:
        return "WRONG  these are not the keys that the permit committed to"
    raw = base64.b64decode(proof["evidence"])
    evidence = struct.unpack(f"<{len(raw) // 4}f", raw)
    biases = [0 if draw < 21758 else 1 if draw < 43778 else 2 for draw in draws(bias_key, len(evidence))]
    factors = EMPHASES[person.get("emphasis") or "all"]
    evidence = [z * factors[which] for z, which in zip(evidence, biases)]
    chips = [draw < BOUNDS[which] for draw, which in zip(draws(codeword_key, len(evidence)), biases)]
    score = sum(z * (math.sqrt((1 - BIASES[w]) / BIASES[w]) if chip else -math.sqrt(BIASES[w] / (1 - BIASES[w])))
                for z, w, chip in zip(evidence, biases, chips))
    if score <= 0:
        return "WRONG  nothing speaks for this person"
    bound = log10_bound(evidence, biases, score) + tried_log10
    verdict = "OK   " if bound <= -9 else "WRONG"
    return f"{verdict}  by chance at most 10^{bound:.1f}, all tests of the case included"


def main():
    report = json.load(open(sys.argv[1], encoding="utf-8"))
    wrong = 0
    for file in report["files"]:
        for person in file["people"]:
            if person["by"] != "mark":
                print(f"-      {file['file'][:16]}  {person['person']}  named by {person['by']}: not judged here")
                continue
            said = judge(person, report["tried"]["log10"])
            wrong += said.startswith("WRONG")
            print(f"{said[:5]}  {file['file'][:16]}  {person['person']}  {said[7:]}")
    return 7 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
