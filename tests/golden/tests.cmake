# Every stage of three small models as text; to accept:
# GRADC_ACCEPT=1 tests/golden/compare.sh build/gradc tests/golden/xor
foreach(model circuit xor iris)
  add_test(NAME golden_${model} COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/compare.sh
           $<TARGET_FILE:gradc> ${CMAKE_SOURCE_DIR}/tests/golden/${model})
endforeach()
add_test(NAME golden_explain COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/explain.sh
         $<TARGET_FILE:gradc> ${CMAKE_SOURCE_DIR})
