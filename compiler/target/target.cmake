# gradc_target: from the loop IR to C++ text, LLVM IR, objects and trainers. The only part that sees LLVM's headers.
file(GLOB target_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/target/*.cpp)
add_library(gradc_target STATIC ${target_sources})
target_include_directories(gradc_target PUBLIC ${CMAKE_SOURCE_DIR})
target_include_directories(gradc_target SYSTEM PRIVATE ${LLVM_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
target_link_libraries(gradc_target PUBLIC gradc_program fmt::fmt
                      PRIVATE lldELF lldCommon LLVM Threads::Threads ${CMAKE_DL_LIBS})

# The C++ text brings its own copy of abi.h.
set(abi_text ${CMAKE_BINARY_DIR}/generated/abi_text.inc)
add_custom_command(
  OUTPUT ${abi_text}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/runtime/abi.h -DOUTPUT=${abi_text}
          -P ${CMAKE_SOURCE_DIR}/compiler/target/embed_text.cmake
  DEPENDS ${CMAKE_SOURCE_DIR}/runtime/abi.h ${CMAKE_SOURCE_DIR}/compiler/target/embed_text.cmake)
target_sources(gradc_target PRIVATE ${abi_text})
target_include_directories(gradc_target PRIVATE ${CMAKE_BINARY_DIR}/generated)

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
