# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# gradc_runtime: what every trainer links, and what `gradc check` runs programs with; gradc_trainer_entry: main(). Every
# trainer carries all of it, so it is built small, as one unit; but for what runs once a number, a row or a kernel.
# It reads files that others made: calls of the C library check sizes (FORTIFY), and functions their frames.
file(GLOB_RECURSE runtime_small CONFIGURE_DEPENDS runtime/*.cpp)
list(FILTER runtime_small EXCLUDE REGEX "/entry/")
set(runtime_fast runtime/walk.cpp runtime/base/threads.cpp runtime/base/tensor.cpp runtime/base/dtype.cpp
  runtime/data/column.cpp runtime/data/loader.cpp)
list(TRANSFORM runtime_fast PREPEND ${CMAKE_SOURCE_DIR}/)
list(REMOVE_ITEM runtime_small ${runtime_fast})
add_library(gradc_runtime_small OBJECT ${runtime_small})
add_library(gradc_trainer_entry OBJECT runtime/entry/main.cpp)
add_library(gradc_runtime STATIC ${runtime_fast} $<TARGET_OBJECTS:gradc_runtime_small>)
foreach(part gradc_runtime gradc_runtime_small gradc_trainer_entry)
  target_include_directories(${part} PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(${part} PRIVATE -ffunction-sections -fdata-sections)
  if(NOT GRADC_SANITIZE)
    target_compile_options(${part} PRIVATE -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables
      -fno-unwind-tables -fno-threadsafe-statics -fPIE -fstack-protector-strong)
    if(NOT CMAKE_BUILD_TYPE STREQUAL Debug) # it needs an optimizing compiler
      target_compile_options(${part} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()
  endif()
endforeach()
if(NOT GRADC_SANITIZE)
  set_target_properties(gradc_runtime_small PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  target_compile_options(gradc_runtime_small PRIVATE -Os)
endif()
if(GRADC_SANITIZE) # it brings its own memory functions, and goes into trainers, which are never sanitized
  target_compile_options(gradc_trainer_entry PRIVATE -fno-sanitize=all -fno-exceptions -fno-rtti)
  # The check of a call reads a signature in front of the function; generated kernels have none, nor what lies there.
  set_source_files_properties(runtime/walk.cpp runtime/base/threads.cpp PROPERTIES COMPILE_OPTIONS -fno-sanitize=function)
endif()
target_link_libraries(gradc_runtime PUBLIC ZLIB::ZLIB Threads::Threads)

# Trainers made of a module written by hand: the runtime is tested with them before and beside any compiled model.
function(add_stub_trainer name variant)
  add_executable(${name} EXCLUDE_FROM_ALL tests/support/stub_module.cpp)
  target_compile_definitions(${name} PRIVATE STUB_VARIANT=${variant})
  target_compile_options(${name} PRIVATE -ffp-contract=off)
  target_link_libraries(${name} PRIVATE gradc_trainer_entry gradc_runtime)
endfunction()
function(use_stub_trainers)
  if(TARGET unit_runtime)
    target_compile_definitions(unit_runtime PRIVATE STUB_TRAINER="$<TARGET_FILE:stub_trainer>")
    add_dependencies(unit_runtime stub_trainer stub_trainer_rebuilt stub_trainer_other stub_trainer_no_isa
                     stub_trainer_faulty)
  endif()
endfunction()
add_stub_trainer(stub_trainer 0)
add_stub_trainer(stub_trainer_rebuilt 1)
add_stub_trainer(stub_trainer_other 2)
add_stub_trainer(stub_trainer_no_isa 3)
add_stub_trainer(stub_trainer_faulty 0)
target_sources(stub_trainer_faulty PRIVATE tests/support/faulty_system.cpp)
foreach(call write fsync rename open flock mmap malloc)
  target_link_options(stub_trainer_faulty PRIVATE -Wl,--wrap=${call})
endforeach()
cmake_language(DEFER CALL use_stub_trainers) # when the tests' folder has been read

include(${CMAKE_SOURCE_DIR}/runtime/prelink.cmake)
