// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loss curve in block characters, the live line, and the errors of standard output.
#include "runtime/base/console.h"
#include "runtime/base/files.h"
#include "runtime/base/text.h"
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

namespace gradc::runtime {

double now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

// ---- the curve ---------------------------------------------------------------------------------

void LossCurve::add(double loss) {
    if (!std::isfinite(loss)) return;
    last_sum_ += loss;
    if (++in_last_ < per_bucket_) return;
    buckets_.push_back(last_sum_ / double(in_last_));
    last_sum_ = 0, in_last_ = 0;
    if (buckets_.size() < most) return;
    for (size_t i = 0; i < most / 2; i++) buckets_[i] = (buckets_[2 * i] + buckets_[2 * i + 1]) / 2;
    buckets_.resize(most / 2);
    per_bucket_ *= 2;
}

/// log2, linear between powers of two: precise enough for the height of a character, and without a library.
static double rough_log2(double number) {
    int exponent;
    double fraction = std::frexp(number, &exponent); // in [0.5, 1)
    return exponent + 2 * fraction - 2;
}

std::string LossCurve::drawn(int columns) const {
    static constexpr const char* heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    if (buckets_.size() < 2 || columns < 2) return "";
    auto [least, greatest] = std::minmax_element(buckets_.begin(), buckets_.end());
    bool logarithmic = *least > 0;
    auto height = [&](double loss) { return logarithmic ? rough_log2(loss) : loss; };
    double low = height(*least), span = height(*greatest) - low;
    size_t count = std::min(size_t(columns), buckets_.size());
    std::string curve;
    for (size_t i = 0; i < count; i++) {
        double loss = buckets_[i * (buckets_.size() - 1) / (count - 1)];
        double share = span > 0 ? (height(loss) - low) / span : 0;
        curve += heights[std::clamp(int(share * 7.999), 0, 7)];
    }
    return curve;
}

// ---- the console -------------------------------------------------------------------------------

Console::Console(bool quiet) : quiet_(quiet) {
    const char* terminal = getenv("TERM");
    bool dumb = !terminal || !*terminal || std::string_view(terminal) == "dumb";
    if (quiet || dumb) return;
    if (isatty(STDERR_FILENO)) live_descriptor_ = STDERR_FILENO;
    if (isatty(STDOUT_FILENO)) live_descriptor_ = STDOUT_FILENO;
}

int Console::width() const {
    winsize size{};
    bool known = live_descriptor_ >= 0 && ioctl(live_descriptor_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

void Console::line(std::string_view text) {
    if (quiet_ || broken_ || !loss_.empty()) return;
    clear_live();
    std::string shown = visible(text, true);
    if (live_descriptor_ == STDOUT_FILENO) shown = broken_between_values(shown, width());
    if (write_all(STDOUT_FILENO, shown + '\n')) return;
    if (errno == EPIPE) {
        broken_ = true;
    } else {
        loss_ = runtime::text("cannot write it: ", system_error());
    }
}

std::string broken_between_values(std::string_view text, int width) {
    std::string result;
    int column = 0;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min({text.find("  ", at), text.find('\n', at), text.size()});
        std::string_view value = text.substr(at, end - at);
        size_t next = std::min(text.find_first_not_of(' ', end), text.size());
        if (column > 0 && column + columns_of(value) > width) {
            result.erase(result.find_last_not_of(' ') + 1);
            result += "\n    ", column = 4;
        }
        result.append(value).append(text.substr(end, next - end));
        column += columns_of(value) + int(next - end);
        at = next;
        if (at < text.size() && text[at] == '\n') result += '\n', column = 0, at++;
    }
    return result;
}

void Console::live(std::string_view text) {
    if (live_descriptor_ < 0) return;
    write_all(live_descriptor_, runtime::text("\r\x1b[K", text));
    live_shown_ = true;
}

void Console::clear_live() {
    if (live_shown_) write_all(live_descriptor_, "\r\x1b[K");
    live_shown_ = false;
}

// ---- signals -----------------------------------------------------------------------------------

static sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
    return set;
}

HeldSignals::HeldSignals() {
    sigset_t set = ending_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

HeldSignals::~HeldSignals() { // signals that arrived were handled: they are consumed, not delivered
    sigset_t set = ending_signals();
    timespec none{};
    while (sigtimedwait(&set, nullptr, &none) > 0) {
    }
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool HeldSignals::arrived() const {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
}

} // namespace gradc::runtime
