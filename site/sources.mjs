// Links to the sources that JSDoc names: manual pages of Linux, and RFCs.

export function linkSources(text) {
  return text
    .replaceAll(
      /\b([\w-]+)\((\d)\)(?! of)/g,
      '[$&](https://man7.org/linux/man-pages/man$2/$1.$2.html)',
    )
    .replaceAll(/RFC (\d+)(?: section ([\d.]+\d))?/g, (rfc, number, section) => {
      const anchor = section ? `#section-${section}` : '';
      return `[${rfc}](https://www.rfc-editor.org/rfc/rfc${number}${anchor})`;
    });
}
