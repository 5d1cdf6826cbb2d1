# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes speeches.tsv from Tiny Shakespeare: the speeches of the five speakers who have most of them, one a line, as
# speaker, tab, text. Lines of verse are joined.   python3 extract.py input.txt > speeches.tsv
import collections
import sys

speeches = []
for paragraph in open(sys.argv[1], encoding="utf-8").read().split("\n\n"):
    speaker, _, text = paragraph.strip("\n").partition(":\n")
    if text:
        speeches.append((speaker, text.replace("\n", " ")))
speakers = [name for name, _ in collections.Counter(name for name, _ in speeches).most_common(5)]
for speaker, text in speeches:
    if speaker in speakers:
        print(speaker, text, sep="\t")
