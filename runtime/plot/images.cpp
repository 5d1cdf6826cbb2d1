// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Each image is a picture of gray levels with a common scale.
#include "runtime/plot/images.h"
#include "runtime/base/text.h"
#include "runtime/plot/drawing.h"
#include <algorithm>
#include <cmath>

namespace gradc::runtime {

namespace {

constexpr int greys = 32, across = 10;
constexpr double image_size = 64, gap = 10;

class ImageSheet {
public:
    explicit ImageSheet(Drawing& drawing) : drawing_(drawing) {}
    /// Image `number` of a list; its longer side is image_size.
    void draw(const ImageRows& images, int64_t number, double left, double top) const;

private:
    Drawing& drawing_;
};

void ImageSheet::draw(const ImageRows& images, int64_t number, double left, double top) const {
    auto [least, greatest] = std::minmax_element(images.values.begin(), images.values.end());
    double low = *least, room = *greatest > low ? *greatest - low : 1;
    int64_t cells = images.height * images.width;
    std::vector<int> levels;
    std::vector<PlotColor> fills;
    for (int i = 0; i < greys; i++) fills.push_back(tinted({0x14, 0x1c, 0x2c}, double(i) / (greys - 1)));
    for (int64_t i = 0; i < cells; i++) {
        double share = (images.values[size_t(number * cells + i)] - low) / room;
        levels.push_back(std::isfinite(share) ? std::clamp(int(share * greys), 0, greys - 1) : -1);
    }
    double scale = image_size / double(std::max(images.height, images.width));
    drawing_.rectangle({left - 0.5, top - 0.5, scale * double(images.width) + 1, scale * double(images.height) + 1},
                       "fill=\"#fff\" stroke=\"#ccc\"");
    drawing_.raw(text("<g shape-rendering=\"crispEdges\" transform=\"translate(", plot_point(left, top), ") scale(",
                      exact(scale), ")\">\n"));
    drawing_.raw(cell_paths(levels, images.width, fills));
    drawing_.raw("</g>\n");
}

} // namespace

std::string draw_images(std::string_view title, const ImageRows& images, const ImageRows& above) {
    int64_t count = int64_t(images.values.size()) / (images.height * images.width);
    bool pairs = !above.values.empty();
    double row_height = (pairs ? 2 * image_size + 4 : image_size) + 1.6 * gap;
    int64_t lines = (count + across - 1) / across, columns = std::min<int64_t>(count, across);
    double left = 24, top = 48;
    Drawing drawing(std::max(360.0, 2 * left + double(columns) * (image_size + gap) - gap),
                    top + double(lines) * row_height + gap);
    drawing.words(left, 24, title, Align::left, "font-size=\"16\" font-weight=\"600\"");
    ImageSheet sheet(drawing);
    for (int64_t i = 0; i < count; i++) {
        double x = left + double(i % across) * (image_size + gap);
        double y = top + double(i / across) * row_height;
        if (pairs) sheet.draw(above, i, x, y), y += image_size + 4;
        sheet.draw(images, i, x, y);
    }
    return std::move(drawing).finish();
}

} // namespace gradc::runtime
