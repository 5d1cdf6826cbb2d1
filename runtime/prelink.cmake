# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# lib/gradc/runtime.o: the runtime with all that a static program needs, as one relocatable object. A trainer is
# this object and a model's; whoever builds one needs neither compiler nor C library. `libm.a` is a script of
# absolute paths, so the archives that it names are taken. Sections of different files stay apart, so that a
# trainer keeps only what it uses. All of it is position-independent, as Debian's archives are. memcpy, memmove and
# memset are kept for the code generator, which calls them.
function(find_compiler_file name variable)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${name} OUTPUT_VARIABLE path
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT IS_ABSOLUTE "${path}")
    message(FATAL_ERROR "the compiler has no ${name}")
  endif()
  set(${variable} ${path} PARENT_SCOPE)
endfunction()

set(prelink_inputs)
foreach(name rcrt1.o crti.o crtbeginS.o) # of a static PIE: it relocates itself
  find_compiler_file(${name} path)
  list(APPEND prelink_inputs ${path})
endforeach()
set(trainer_runtime gradc_runtime)
if(GRADC_SANITIZE) # trainers themselves are never sanitized: a static program cannot be
  file(GLOB_RECURSE plain_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/runtime/*.cpp)
  list(FILTER plain_sources EXCLUDE REGEX "/entry/")
  add_library(gradc_runtime_plain STATIC ${plain_sources})
  target_include_directories(gradc_runtime_plain PUBLIC ${CMAKE_SOURCE_DIR})
  target_compile_options(gradc_runtime_plain PRIVATE -fno-sanitize=all -fno-exceptions -fno-rtti -fPIE)
  set(trainer_runtime gradc_runtime_plain)
endif()
list(APPEND prelink_inputs $<TARGET_OBJECTS:gradc_trainer_entry> $<TARGET_FILE:${trainer_runtime}> --start-group)
find_compiler_file(libm.a math)
file(STRINGS ${math} math_text LIMIT_COUNT 4 LENGTH_MAXIMUM 400)
string(REGEX MATCHALL "/[^ ;)]*\\.a" math_archives "${math_text}")
if(NOT math_archives)
  set(math_archives ${math}) # a plain archive
endif()
foreach(name libz.a libstdc++.a libc.a libgcc.a libgcc_eh.a)
  find_compiler_file(${name} path)
  list(APPEND prelink_inputs ${path})
endforeach()
list(APPEND prelink_inputs ${math_archives} --end-group)
foreach(name crtendS.o crtn.o)
  find_compiler_file(${name} path)
  list(APPEND prelink_inputs ${path})
endforeach()

find_program(GRADC_GNU_LD NAMES ld.bfd ld REQUIRED) # lld, CMAKE_LINKER with clang, has no --unique
set(prelinked_runtime ${CMAKE_BINARY_DIR}/lib/gradc/runtime.o)
add_custom_command(
  OUTPUT ${prelinked_runtime}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/lib/gradc
  COMMAND ${GRADC_GNU_LD} -r --unique=.text --unique=.rodata --unique=.data --unique=.data.rel.ro
          -o ${prelinked_runtime} -u memcpy -u memmove -u memset -u main ${prelink_inputs}
  COMMAND ${CMAKE_STRIP} --strip-debug ${prelinked_runtime}
  DEPENDS ${trainer_runtime} gradc_trainer_entry $<TARGET_OBJECTS:gradc_trainer_entry>
  COMMAND_EXPAND_LISTS
  COMMENT "Prelinking the trainers' runtime"
  VERBATIM)
add_custom_target(prelinked_runtime ALL DEPENDS ${prelinked_runtime})
install(FILES ${prelinked_runtime} DESTINATION lib/gradc) # where gradc looks, beside bin
