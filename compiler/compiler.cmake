# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The driver: commands over the pipeline, and the program gradc itself.
add_part(check compiler/check gradc_training)
add_part(explain compiler/explain gradc_check gradc_plan gradc_optimize gradc_target)
add_part(page compiler/page gradc_explain)
add_part(bench compiler/bench gradc_util nlohmann_json::nlohmann_json)
file(GLOB driver_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/*.cpp ${CMAKE_SOURCE_DIR}/compiler/commands/*.cpp
     ${CMAKE_SOURCE_DIR}/compiler/landscape/*.cpp)
list(FILTER driver_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(gradc_driver STATIC ${driver_sources})
target_link_libraries(gradc_driver PUBLIC gradc_page gradc_bench gradc_plan gradc_optimize gradc_target CLI11::CLI11
                      nlohmann_json::nlohmann_json)
target_compile_definitions(gradc_driver PRIVATE GRADC_VERSION="${PROJECT_VERSION}"
                           GRADC_LLVM_VERSION="${LLVM_PACKAGE_VERSION}")
embed_text(gradc_driver compiler/bench/driver.py bench_driver) # runs a peer of `gradc bench`
embed_text(gradc_bench compiler/bench/page.css bench_style)
embed_text(gradc_page compiler/page/page.css page_style)
embed_text(gradc_page compiler/page/page.js page_script)
add_executable(gradc compiler/main.cpp)
target_link_libraries(gradc PRIVATE gradc_driver)

# gradc is not linked if a primitive of dsl/std is incomplete.
add_executable(check_primitives tools/check_primitives.cpp)
target_link_libraries(check_primitives PRIVATE gradc_training)
set(primitives_checked ${CMAKE_BINARY_DIR}/generated/primitives_checked)
add_custom_command(OUTPUT ${primitives_checked} COMMAND check_primitives
                   COMMAND ${CMAKE_COMMAND} -E touch ${primitives_checked}
                   DEPENDS check_primitives COMMENT "Checking the primitives of dsl/std")
add_custom_target(primitives_checked DEPENDS ${primitives_checked})
add_dependencies(gradc primitives_checked)
target_link_options(gradc PRIVATE -pie -Wl,-z,relro,-z,now,-z,noexecstack) # gcc and clang of Debian compile for PIE
set_target_properties(gradc PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
