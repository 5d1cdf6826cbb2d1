# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes the file INPUT as one C++ raw string literal to OUTPUT.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "R\"text(${text})text\"\n")
