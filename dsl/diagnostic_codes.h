// Every diagnostic that a model file can cause, by a short name. A test walks this list and asks for
// a case of each in tests/errors, so a line here without a test there fails.
#pragma once

// clang-format off
#define GRADC_DIAGNOSTIC_CODES(X) \
    X(unexpected_character, "unexpected-character") \
    X(unexpected_token, "unexpected-token")
// clang-format on
