# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Properties that fuzzers and unit tests share; the fuzzers themselves are built by the fuzz preset alone.
add_library(parser_property STATIC fuzz/parser_property.cpp fuzz/grammar.cpp)
target_link_libraries(parser_property PUBLIC gradc_dsl)
add_library(elaborator_property STATIC fuzz/elaborator_property.cpp)
target_link_libraries(elaborator_property PUBLIC gradc_training parser_property)
if(TARGET unit_dsl)
  target_link_libraries(unit_dsl PRIVATE parser_property)
endif()
if(TARGET unit_elaborate)
  target_link_libraries(unit_elaborate PRIVATE elaborator_property)
endif()
if(GRADC_FUZZ) # needs clang and -fsanitize=fuzzer-no-link on everything
  foreach(part parser elaborator)
    add_executable(fuzz_${part} fuzz/${part}.cpp)
    target_link_libraries(fuzz_${part} PRIVATE ${part}_property -fsanitize=fuzzer)
  endforeach()
endif()
