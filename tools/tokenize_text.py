# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes text as tokens of 16 bits, little endian, for `tokens("train.bin")`; with --split a second file has the last
# part of the text. Needs the package `tokenizers`.
#   python3 tokenize_text.py input.txt train.bin --vocabulary 4096      trains a byte-level BPE; tokenizer.json keeps it
#   python3 tokenize_text.py input.txt train.bin --tokenizer tokenizer.json --split val.bin
import argparse
import array
import sys

from tokenizers import ByteLevelBPETokenizer, Tokenizer


def write(path, ids):
    numbers = array.array("H", ids)
    if sys.byteorder == "big":
        numbers.byteswap()
    with open(path, "wb") as file:
        numbers.tofile(file)
    print(f"{path}: {len(ids)} tokens")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("text")
    arguments.add_argument("tokens")
    arguments.add_argument("--tokenizer", help="a tokenizer.json to use")
    arguments.add_argument("--vocabulary", type=int, default=4096, help="tokens of a new tokenizer")
    arguments.add_argument("--split", help="write the last tenth of the text to this file")
    given = arguments.parse_args()
    text = open(given.text, encoding="utf-8", newline="").read()
    if given.tokenizer:
        tokenizer = Tokenizer.from_file(given.tokenizer)
    else:
        tokenizer = ByteLevelBPETokenizer()
        tokenizer.train([given.text], vocab_size=given.vocabulary)
        tokenizer.save("tokenizer.json")
    size = tokenizer.get_vocab_size()
    if size > 1 << 16:
        sys.exit(f"{size} tokens do not fit into 16 bits")
    cut = len(text) * 9 // 10 if given.split else len(text)
    write(given.tokens, tokenizer.encode(text[:cut]).ids)
    if given.split:
        write(given.split, tokenizer.encode(text[cut:]).ids)
    print(f"declare them as int < {size}")


main()
