// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every diagnostic that a model file can cause, by a short name. A test requires a case in tests/errors for each line
// of this list.
#pragma once

// clang-format off
/// Errors of the lexer and the parser: cases in tests/errors/syntax.
#define GRADC_SYNTAX_CODES(X) \
    X(unexpected_character, "unexpected-character") \
    X(unexpected_token, "unexpected-token") \
    X(not_utf8, "not-utf8") \
    X(unterminated_text, "unterminated-text") \
    X(unknown_escape, "unknown-escape") \
    X(malformed_number, "malformed-number") \
    X(number_out_of_range, "number-out-of-range") \
    X(foreign_operator, "foreign-operator") \
    X(foreign_word, "foreign-word") \
    X(foreign_comment, "foreign-comment") \
    X(unclosed_bracket, "unclosed-bracket") \
    X(unopened_bracket, "unopened-bracket") \
    X(reserved_word, "reserved-word") \
    X(comparison_chain, "comparison-chain") \
    X(nested_too_deep, "nested-too-deep") \
    X(unknown_type, "unknown-type") \
    X(unknown_setting, "unknown-setting") \
    X(assigned_setting, "assigned-setting") \
    X(missing_initial_value, "missing-initial-value") \
    X(unused_value, "unused-value") \
    X(argument_order, "argument-order") \
    X(not_callable, "not-callable") \
    X(misplaced_statement, "misplaced-statement")

/// Errors of names, types and sizes: cases in tests/errors/types.
#define GRADC_TYPE_CODES(X) \
    X(unknown_name, "unknown-name") \
    X(unknown_function, "unknown-function") \
    X(unreadable_file, "unreadable-file") \
    X(import_cycle, "import-cycle") \
    X(duplicate_definition, "duplicate-definition") \
    X(hidden_name, "hidden-name") \
    X(unknown_constant, "unknown-constant") \
    X(bad_constant, "bad-constant") \
    X(shape_mismatch, "shape-mismatch") \
    X(dtype_mismatch, "dtype-mismatch") \
    X(not_constant, "not-constant") \
    X(not_integer, "not-integer") \
    X(not_a_number, "not-a-number") \
    X(not_logical, "not-logical") \
    X(missing_argument, "missing-argument") \
    X(unknown_argument, "unknown-argument") \
    X(too_many_arguments, "too-many-arguments") \
    X(argument_type, "argument-type") \
    X(result_type, "result-type") \
    X(unknown_size, "unknown-size") \
    X(rows_misuse, "rows-misuse") \
    X(out_of_range, "out-of-range") \
    X(negative_size, "negative-size") \
    X(index_bound, "index-bound") \
    X(index_misuse, "index-misuse") \
    X(lookup_misuse, "lookup-misuse") \
    X(recursion, "recursion") \
    X(call_depth, "call-depth") \
    X(node_limit, "node-limit") \
    X(too_large, "too-large") \
    X(no_dependence, "no-dependence") \
    X(parameter_misplaced, "parameter-misplaced") \
    X(parameter_conflict, "parameter-conflict") \
    X(initial_value, "initial-value") \
    X(update_misuse, "update-misuse") \
    X(fixed_name, "fixed-name") \
    X(branch_mismatch, "branch-mismatch") \
    X(run_time_condition, "run-time-condition") \
    X(carried_type, "carried-type") \
    X(yield_misuse, "yield-misuse") \
    X(missing_return, "missing-return") \
    X(result_count, "result-count") \
    X(wrong_operand, "wrong-operand") \
    X(bad_rule, "bad-rule") \
    X(bad_derivative, "bad-derivative") \
    X(unknown_member, "unknown-member") \
    X(unknown_effect, "unknown-effect") \
    X(likely_misuse, "likely-misuse")

/// Errors of data sets and train blocks: cases in tests/errors/train.
#define GRADC_TRAIN_CODES(X) \
    X(unknown_dataset, "unknown-dataset") \
    X(reader_misuse, "reader-misuse") \
    X(field_type, "field-type") \
    X(literal_column, "literal-column") \
    X(missing_data, "missing-data") \
    X(unfit_data, "unfit-data") \
    X(bad_split, "bad-split") \
    X(statistic_misuse, "statistic-misuse") \
    X(bad_setting, "bad-setting") \
    X(repeated_setting, "repeated-setting") \
    X(missing_setting, "missing-setting") \
    X(loss_type, "loss-type") \
    X(metric_type, "metric-type") \
    X(unknown_optimizer, "unknown-optimizer") \
    X(unknown_parameter, "unknown-parameter") \
    X(nothing_to_train, "nothing-to-train") \
    X(optimizer_misuse, "optimizer-misuse")

#define GRADC_DIAGNOSTIC_CODES(X) \
    GRADC_SYNTAX_CODES(X) \
    GRADC_TYPE_CODES(X) \
    GRADC_TRAIN_CODES(X)
// clang-format on
