// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The points on the closed curves of an SVG path made of M, q, t and z.
#pragma once
#include <cstdlib>
#include <string>
#include <vector>

struct PathPoint {
    double x, y;
};

/// One list a curve; the last point of each is its first.
inline std::vector<std::vector<PathPoint>> path_points(const std::string& path) {
    std::vector<std::vector<PathPoint>> curves;
    const char* at = path.c_str();
    auto number = [&] {
        char* end;
        double value = std::strtod(at, &end);
        at = end;
        return value;
    };
    while (*at) {
        char command = *at++;
        if (command == 'z') continue;
        if (command == 'q') number(), number(); // the control
        double x = number(), y = number();
        if (command == 'M') {
            curves.push_back({{x, y}});
        } else {
            PathPoint last = curves.back().back();
            curves.back().push_back({last.x + x, last.y + y});
        }
    }
    return curves;
}
