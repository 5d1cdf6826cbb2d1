# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The library of the language travels inside the compiler.
file(GLOB standard_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/dsl/std/*.grad)
set(embedded ${CMAKE_BINARY_DIR}/generated/standard_library.cpp)
add_custom_command(OUTPUT ${embedded}
  COMMAND ${CMAKE_COMMAND} -DOUT=${embedded} -DFOLDER=${CMAKE_SOURCE_DIR}/dsl/std
          -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
  DEPENDS ${standard_files} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake)
target_sources(gradc_elaborate PRIVATE ${embedded})
