# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Whole programs: the compiler's command line, trainers as separate processes, the examples, an installed tree. Each tag
# is a test of its own, so that they run in parallel and a test without its data is skipped alone (exit code 77).
if(TARGET gradc)
  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/end_to_end)
  add_executable(check_example ${folder}/check_example.cpp ${folder}/expectation.cpp ${folder}/process.cpp)
  target_include_directories(check_example PRIVATE ${CMAKE_SOURCE_DIR})

  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
  list(REMOVE_ITEM sources ${folder}/check_example.cpp)
  add_executable(end_to_end ${sources})
  target_include_directories(end_to_end PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(end_to_end PRIVATE Catch2::Catch2)
  target_compile_definitions(end_to_end PRIVATE
    GRADC_SOURCE_DIR="${CMAKE_SOURCE_DIR}" GRADC_BUILD_DIR="${CMAKE_BINARY_DIR}" GRADC_BINARY="$<TARGET_FILE:gradc>"
    ONLY_READ="$<TARGET_FILE:only_read>")
  add_executable(only_read ${CMAKE_CURRENT_SOURCE_DIR}/support/only_read.cpp)
  add_dependencies(end_to_end only_read)

  set(tags bench bits budget check confine elf errors files freeze generate generated grad init install isas landscape
      matcher memory outputs package page paths peers predict readers readme recorded registers resume run_cache
      safetensors seeds sharing size strings multi_step text threads trainer tutorial usage values)
  if(GRADC_SANITIZE)
    list(REMOVE_ITEM tags elf package size) # of trainers as they are shipped: the runtime made small, as one unit
  endif()
  foreach(tag ${tags})
    add_test(NAME end_to_end_${tag} COMMAND end_to_end "[${tag}]")
    set_tests_properties(end_to_end_${tag} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()

  file(GLOB expectations CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*/expected.txt)
  foreach(expectation ${expectations})
    cmake_path(GET expectation PARENT_PATH example)
    cmake_path(GET example FILENAME name)
    add_test(NAME example_${name} COMMAND check_example $<TARGET_FILE:gradc> ${CMAKE_SOURCE_DIR} ${name})
    set_tests_properties(example_${name} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()
endif()
