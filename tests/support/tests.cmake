# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Shared by several test programs: derivative rules in C++, finite differences, random graphs.
add_library(gradc_test_support STATIC
  support/derivatives.cpp support/finite_differences.cpp support/random_graph.cpp
  support/random_environment.cpp)
target_link_libraries(gradc_test_support PUBLIC gradc_gradient)
foreach(part graph gradient elaborate dataset training optimize program plan target check)
  if(TARGET unit_${part})
    target_link_libraries(unit_${part} PRIVATE gradc_test_support)
  endif()
endforeach()
