// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions that math_errors measures: the formula in the language, the C library's value in a wider type, the
// domain, and the bound in units of the last place.
#pragma once
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace gradc::math_errors {

struct Function {
    std::string name, formula; // of x and y
    int arguments;
    double f32_domain, f64_domain; // |x| up to here
    double f32_bound, f64_bound;   // ulp
    double f64_bound_unfused;      // of machines without fma
    double (*narrow)(double, double);
    long double (*wide)(long double, long double);

    double value(double x, double y) const { return narrow(x, y); }
    long double value(long double x, long double y) const { return wide(x, y); }
    /// Powers of -0 lose its sign, hence that of the infinity at negative exponents.
    bool defined(double x, double) const { return name != "pow" || x != 0 || !std::signbit(x); }
};

/// Values around which some formula changes branch, overflows, or ends.
inline constexpr double edges[] = {0,
                                   1e-45,
                                   1.1754943508222875e-38,
                                   5e-324,
                                   2.2250738585072014e-308,
                                   3e-5,
                                   4e-4,
                                   0.1,
                                   0.41421356,
                                   0.55,
                                   0.625,
                                   0.70710678118654752,
                                   0.925,
                                   1,
                                   1.4142135623730951,
                                   1.5707963267948966,
                                   2,
                                   3.1415926535897931,
                                   4,
                                   5.5,
                                   6,
                                   8,
                                   9,
                                   10.2,
                                   13.1,
                                   16.6,
                                   17.3,
                                   19.1,
                                   26.6,
                                   27.3,
                                   30,
                                   36.7,
                                   37.5,
                                   50,
                                   87.336544,
                                   88.72284,
                                   89,
                                   100,
                                   103.97208,
                                   104,
                                   131071,
                                   708.39,
                                   709.78271289338397,
                                   745.13321910194122,
                                   746,
                                   8388608,
                                   16777216,
                                   9007199254740992,
                                   3.4028234663852886e38,
                                   1.7976931348623157e308,
                                   std::numeric_limits<double>::infinity(),
                                   std::numeric_limits<double>::quiet_NaN()};

std::vector<Function> function_table();

/// A model NAME_of for each, of fields NAME_x and NAME_y.
std::string model_text(const std::vector<Function>& functions);

} // namespace gradc::math_errors
