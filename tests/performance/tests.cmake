# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Programs of `./run bench WORD`. The errors of vector math are also a test, on every 257th float.
add_executable(math_errors performance/math.cpp performance/math_table.cpp library/compiled.cpp)
target_include_directories(math_errors PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(math_errors PRIVATE gradc_check gradc_optimize gradc_plan gradc_program gradc_target)
add_test(NAME math_errors COMMAND math_errors 257)

add_executable(measure_products EXCLUDE_FROM_ALL performance/products.cpp performance/product_shapes.cpp)
target_include_directories(measure_products PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(measure_products PRIVATE gradc_plan gradc_program gradc_target gradc_runtime)

add_executable(measure_landscape EXCLUDE_FROM_ALL performance/landscape.cpp)
target_include_directories(measure_landscape PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(measure_landscape PRIVATE gradc_driver)

# The peaks of the examples' plans are no measurement: `./run bench memory` as a test.
add_test(NAME plan_memory COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/performance/memory.sh)
set_tests_properties(plan_memory PROPERTIES ENVIRONMENT GRADC=$<TARGET_FILE:gradc>)
