// Package chart draws lines and bars as SVG.
package chart

import (
	"bytes"
	"fmt"
	"html"
)

// Chart is what all charts have.
type Chart struct {
	Title    string
	Subtitle string
	X, Y     Axis
}

// The picture, and what is around the plot.
const (
	width, height = 960, 560
	left, right   = 100, 250
	top, bottom   = 70, 75

	plotWidth  = width - left - right
	plotHeight = height - top - bottom
)

// colours can be told apart by all eyes. After the last they begin again, paler,
// and once more.
var colours = []string{
	"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#5f3dc4", "#444444",
}

func (k Key) colour() string { return colours[k.Colour%len(colours)] }

func (k Key) opacity() string { return opacities[k.Colour/len(colours)%len(opacities)] }

var opacities = []string{"1", "0.55", "0.28"}

// drawing is an SVG file being written.
type drawing struct{ bytes.Buffer }

// begin draws all but the data.
func (c Chart) begin() *drawing {
	d := &drawing{}
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `, width, height)
	fmt.Fprintln(d, `font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222">`)
	fmt.Fprintf(d, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	d.text(left, 30, "start", `font-size="18" font-weight="bold"`, c.Title)
	d.text(left, 52, "start", `fill="#666"`, c.Subtitle)
	for _, tick := range c.Y.ticks() {
		y := c.y(tick.At)
		d.line(left, y, left+plotWidth, y, "#ddd")
		d.text(left-8, y+4, "end", "", tick.Label)
	}
	for _, tick := range c.X.Ticks {
		x := c.x(tick.At)
		d.line(x, top+plotHeight, x, top+plotHeight+5, "#666")
		d.text(x, top+plotHeight+21, "middle", "", tick.Label)
	}
	d.line(left, top+plotHeight, left+plotWidth, top+plotHeight, "#666")
	d.line(left, top, left, top+plotHeight, "#666")
	d.text(left+plotWidth/2, height-22, "middle", `font-size="14"`, c.X.Title)
	d.text(0, 0, "middle", fmt.Sprintf(`font-size="14" transform="translate(24 %d) rotate(-90)"`,
		top+plotHeight/2), c.Y.Title)
	return d
}

func (d *drawing) end() []byte {
	d.WriteString("</svg>\n")
	return d.Bytes()
}

// legend tells the keys, from the top down.
func (d *drawing) legend(keys []Key) {
	line := min(24, (height-top-20)/float64(len(keys)))
	for i, k := range keys {
		d.key(top+10+float64(i)*line, k)
	}
}

func (d *drawing) key(y float64, k Key) {
	const x = width - right + 25
	fmt.Fprintf(d, `<rect x="%d" y="%.1f" width="18" height="12" fill="%s" fill-opacity="%s"/>`+"\n",
		x, y-10, k.colour(), k.opacity())
	d.text(x+26, y, "start", "", k.Name)
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(d, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n",
		x1, y1, x2, y2, colour)
}

func (d *drawing) text(x, y float64, anchor, attributes, text string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n",
		x, y, anchor, attributes, html.EscapeString(text))
}

func (c Chart) x(v float64) float64 { return left + plotWidth*c.X.position(v) }

func (c Chart) y(v float64) float64 { return top + plotHeight*(1-c.Y.position(v)) }
