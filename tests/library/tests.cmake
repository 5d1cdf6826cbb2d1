# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every function of dsl/std is proved and compared with the table of docs/reference/library.md.
# `prove_library --write README` writes the table.
file(GLOB library_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/library/*.cpp)
add_executable(prove_library ${library_sources})
target_include_directories(prove_library PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_definitions(prove_library PRIVATE GRADC_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
target_link_libraries(prove_library PRIVATE gradc_check gradc_optimize gradc_plan gradc_program gradc_target)
add_test(NAME library COMMAND prove_library ${CMAKE_SOURCE_DIR}/docs/reference/library.md)
