# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Random graphs through every stage; also `./run fuzz graphs`.
add_executable(fuzz_graphs agreement/graphs.cpp)
target_link_libraries(fuzz_graphs PRIVATE gradc_test_support gradc_training gradc_plan gradc_optimize gradc_target)
add_test(NAME random_graphs COMMAND fuzz_graphs 300)
# Kernels that have more parts with the widest vectors than with the baseline: each must be called with its own extent.
add_test(NAME random_graphs_of_other_extents COMMAND fuzz_graphs 1 237)
add_test(NAME random_graphs_of_other_extents_f32 COMMAND fuzz_graphs 1 806)

add_executable(agree_steps agreement/steps.cpp)
target_link_libraries(agree_steps PRIVATE gradc_driver)
foreach(example xor digits perceptron newton descent)
  list(APPEND stepping ${CMAKE_SOURCE_DIR}/examples/${example}/model.grad)
endforeach()
add_test(NAME agree_steps COMMAND agree_steps ${stepping})
add_test(NAME agree_steps_of_deep_sums COMMAND agree_steps --batch-size 1100 ${CMAKE_CURRENT_SOURCE_DIR}/agreement/deep.grad)
add_test(NAME agree_steps_of_deep_sequences COMMAND agree_steps --batch-size 130 ${CMAKE_CURRENT_SOURCE_DIR}/agreement/deep_sequences.grad)
add_test(NAME agree_steps_of_indices COMMAND agree_steps ${CMAKE_CURRENT_SOURCE_DIR}/agreement/indices.grad)
