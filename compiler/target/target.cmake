# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# gradc_target: from the loop IR to C++ text, LLVM IR, objects and trainers. The only part that sees LLVM's headers.
file(GLOB_RECURSE target_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/target/*.cpp)
add_library(gradc_target STATIC ${target_sources})
target_include_directories(gradc_target PUBLIC ${CMAKE_SOURCE_DIR})
target_include_directories(gradc_target SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
target_link_libraries(gradc_target PUBLIC gradc_program fmt::fmt
                      PRIVATE lldELF lldCommon LLVM Threads::Threads ${CMAKE_DL_LIBS})

embed_text(gradc_target runtime/abi.h abi_text) # the C++ text brings its own copy

# The trainer's own walker of tables, for modules loaded into the compiler.
target_link_libraries(gradc_target PRIVATE gradc_runtime)

# unit_target links and runs a whole trainer.
function(use_prelinked_runtime)
  if(TARGET unit_target)
    target_compile_definitions(unit_target PRIVATE GRADC_RUNTIME="${CMAKE_BINARY_DIR}/lib/gradc/runtime.o")
    add_dependencies(unit_target prelinked_runtime)
  endif()
endfunction()
cmake_language(DEFER CALL use_prelinked_runtime) # when the tests' folder has been read
