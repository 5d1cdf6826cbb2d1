# What several test programs share: derivatives by differences and random graphs.
add_library(gradc_test_support STATIC
  support/derivatives.cpp support/finite_differences.cpp support/random_graph.cpp)
target_link_libraries(gradc_test_support PUBLIC gradc_gradient)
foreach(part gradient elaborate optimize program plan target)
  if(TARGET unit_${part})
    target_link_libraries(unit_${part} PRIVATE gradc_test_support)
  endif()
endforeach()

# Derivative rules in C++, finite differences, random graphs: for all test programs of the compiler's middle.
add_library(gradc_test_graphs STATIC support/derivatives.cpp support/finite_differences.cpp support/random_graph.cpp)
target_link_libraries(gradc_test_graphs PUBLIC gradc_gradient)
foreach(part graph gradient elaborate optimize program plan target check)
  if(TARGET unit_${part})
    target_link_libraries(unit_${part} PRIVATE gradc_test_graphs)
  endif()
endforeach()
