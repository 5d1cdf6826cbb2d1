# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every source has the format of .clang-format; skipped if the formatter is not installed.
add_test(NAME format COMMAND ${CMAKE_SOURCE_DIR}/tests/format/check.sh ${CMAKE_SOURCE_DIR})
set_tests_properties(format PROPERTIES SKIP_RETURN_CODE 77)
