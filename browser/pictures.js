// Pictures of pages for the documents.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const IMAGES = fileURLToPath(new URL("../docs/images/", import.meta.url));
const QUALITY = 0.82;

/** Whether pictures, and what else a document shows, are taken anew. */
export const BLESS = process.env.CHAPPE_BLESS === "1";

/** The size of a picture unless another is asked for. */
export const WINDOW = { width: 1000, height: 700 };

/** Makes a page look as in the documents, and takes the picture if they are taken anew. */
export async function picture(page, name, { colorScheme = "light", size = WINDOW, fullPage = false } = {}) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    if (!BLESS) {
        return;
    }
    const png = await page.screenshot({ animations: "disabled", fullPage });
    // The browser itself makes it small.
    const canvas = await page.context().newPage();
    const webp = await canvas.evaluate(
        async ([png, quality]) => {
            const bytes = Uint8Array.from(atob(png), (sign) => sign.charCodeAt(0));
            const bitmap = await createImageBitmap(new Blob([bytes]));
            const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
            canvas.getContext("2d").drawImage(bitmap, 0, 0);
            return canvas.toDataURL("image/webp", quality).split(",")[1];
        },
        [png.toString("base64"), QUALITY],
    );
    await canvas.close();
    writeFileSync(`${IMAGES}${name}.webp`, Buffer.from(webp, "base64"));
}
