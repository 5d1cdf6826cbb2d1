# Properties that fuzzers and unit tests share; the fuzzers themselves are built by the fuzz preset alone.
add_library(parser_property STATIC fuzz/parser_property.cpp)
target_link_libraries(parser_property PUBLIC gradc_dsl)
if(TARGET unit_dsl)
  target_link_libraries(unit_dsl PRIVATE parser_property)
endif()
if(GRADC_FUZZ) # needs clang and -fsanitize=fuzzer-no-link on everything
  add_executable(fuzz_parser fuzz/parser.cpp)
  target_link_libraries(fuzz_parser PRIVATE parser_property -fsanitize=fuzzer)
endif()
