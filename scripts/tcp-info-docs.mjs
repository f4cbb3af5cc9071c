export function docsTables(page) {
  return page;
}
