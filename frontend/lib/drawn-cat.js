/**
 * A photo for those who have none at hand: a ginger cat, drawn here, so that it shows nobody's.
 *
 * Returns: a PNG as a File.
 */
const SIDE = 512;
const [INK, FUR, FUR_DARK, CREAM, PINK] = ["#3b2416", "#e08a3c", "#b8622a", "#fbe7cd", "#e8a193"];

export async function drawnCat() {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  draw(canvas.getContext("2d"));
  return new File([await canvas.convertToBlob({ type: "image/png" })], "drawn cat.png", { type: "image/png" });
}

/** In coordinates of 1000 x 1000, its middle at the top of the page's middle. */
function draw(context) {
  context.scale(SIDE / 1000, SIDE / 1000);
  const sky = context.createLinearGradient(0, 0, 0, 1000);
  sky.addColorStop(0, "#8fb7b3");
  sky.addColorStop(1, "#d9e4d4");
  context.fillStyle = sky;
  context.fillRect(0, 0, 1000, 1000);
  context.lineCap = "round";
  context.translate(500, 60);

  const ellipse = (x, y, radiusX, radiusY, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    context.ellipse(x, y, radiusX, radiusY, 0, 0, 2 * Math.PI);
    context.fill();
  };
  const polygon = (points, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.fill();
  };
  const curve = (from, control, to, width, colour) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...from);
    context.quadraticCurveTo(...control, ...to);
    context.stroke();
  };

  ellipse(0, 1010, 900, 260, "#a9745a"); // a rug
  curve([220, 820], [490, 820], [400, 520], 74, FUR_DARK); // tail
  ellipse(0, 790, 290, 300, FUR);
  ellipse(0, 850, 165, 220, CREAM);
  for (const side of [-1, 1]) {
    ellipse(side * 130, 880, 78, 52, FUR); // paws
    polygon([[side * 50, 250], [side * 262, 60], [side * 270, 360]], FUR); // ears
    polygon([[side * 110, 240], [side * 235, 120], [side * 240, 310]], PINK);
  }
  ellipse(0, 390, 290, 238, FUR);
  for (const offset of [-70, 0, 70]) curve([offset, 165], [offset * 0.8, 215], [offset * 0.7, 255], 22, FUR_DARK); // stripes
  for (const side of [-1, 1]) {
    for (const y of [400, 450]) curve([side * 282, y], [side * 245, y + 4], [side * 205, y + 18], 18, FUR_DARK);
    ellipse(side * 112, 372, 66, 62, "#f4f1df");
    ellipse(side * 108, 374, 52, 54, "#7da23c");
    ellipse(side * 106, 374, 22, 48, "#1c1410");
    ellipse(side * 106 + 12, 352, 11, 11, "#ffffff");
    ellipse(side * 58, 498, 82, 64, CREAM);
  }
  polygon([[-34, 452], [34, 452], [0, 492]], "#c8635c");
  for (const side of [-1, 1]) {
    curve([0, 490], [side * 10, 545], [side * 62, 530], 8, INK);
    for (const lift of [-28, 0, 28]) curve([side * 92, 500 + lift / 3], [side * 220, 480 + lift], [side * 350, 500 + lift * 2], 5, CREAM);
  }
}
