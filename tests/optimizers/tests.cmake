# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every optimizer and schedule of the library against recorded numbers; see record.py.
add_executable(optimizers optimizers/optimizers.cpp optimizers/schedules.cpp optimizers/branches.cpp
  optimizers/by_hand.cpp optimizers/run.cpp)
target_link_libraries(optimizers PRIVATE catch_main gradc_driver)
add_test(NAME optimizers COMMAND optimizers)
