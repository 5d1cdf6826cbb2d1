# The reader of error expectations, for the test programs of every stage that reports errors.
add_library(error_expectations STATIC errors/expectations.cpp)
target_link_libraries(error_expectations PUBLIC gradc_dsl)
target_compile_definitions(error_expectations PRIVATE GRADC_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
foreach(part dsl elaborate)
  if(TARGET unit_${part})
    target_link_libraries(unit_${part} PRIVATE error_expectations)
  endif()
endforeach()
