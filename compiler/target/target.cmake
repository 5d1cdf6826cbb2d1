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
add_library(gradc_walk STATIC ${CMAKE_SOURCE_DIR}/runtime/walk.cpp ${CMAKE_SOURCE_DIR}/runtime/element.cpp ${CMAKE_SOURCE_DIR}/runtime/isa.cpp ${CMAKE_SOURCE_DIR}/runtime/threads.cpp
                              ${CMAKE_SOURCE_DIR}/runtime/files.cpp ${CMAKE_SOURCE_DIR}/runtime/text.cpp)
target_include_directories(gradc_walk PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(gradc_walk PUBLIC Threads::Threads)
target_link_libraries(gradc_target PRIVATE gradc_walk)
