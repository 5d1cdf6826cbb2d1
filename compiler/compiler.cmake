# The driver: commands over the pipeline, and the program gradc itself.
add_part(check compiler/check gradc_elaborate)
add_part(explain compiler/explain gradc_check gradc_plan gradc_optimize gradc_target)
add_part(page compiler/page gradc_explain)
add_part(bench compiler/bench gradc_util nlohmann_json::nlohmann_json)
file(GLOB driver_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/compiler/*.cpp)
list(FILTER driver_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(gradc_driver STATIC ${driver_sources})
target_link_libraries(gradc_driver PUBLIC gradc_page gradc_bench gradc_plan gradc_optimize gradc_target CLI11::CLI11
                      nlohmann_json::nlohmann_json)
target_compile_definitions(gradc_driver PRIVATE GRADC_VERSION="${PROJECT_VERSION}"
                           GRADC_LLVM_VERSION="${LLVM_PACKAGE_VERSION}")
# The program that runs a peer of `gradc bench` travels inside the compiler.
set(driver_text ${CMAKE_BINARY_DIR}/generated/bench_driver.inc)
add_custom_command(
  OUTPUT ${driver_text}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_SOURCE_DIR}/compiler/bench/driver.py -DOUTPUT=${driver_text}
          -P ${CMAKE_SOURCE_DIR}/compiler/target/embed_text.cmake
  DEPENDS ${CMAKE_SOURCE_DIR}/compiler/bench/driver.py ${CMAKE_SOURCE_DIR}/compiler/target/embed_text.cmake)
target_sources(gradc_driver PRIVATE ${driver_text})
target_include_directories(gradc_driver PRIVATE ${CMAKE_BINARY_DIR}/generated)
add_executable(gradc compiler/main.cpp)
target_link_libraries(gradc PRIVATE gradc_driver)
set_target_properties(gradc PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
