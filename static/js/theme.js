// Runs before the first paint: sets the colour scheme and the navigation's width, so nothing flashes.
(() => {
  const root = document.documentElement;
  const cookie = (name) => document.cookie.split("; ").find((c) => c.startsWith(name + "="))?.split("=")[1];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.themeFixed || cookie("k_theme") || "auto";
    root.dataset.theme = choice;
    root.dataset.bsTheme = choice === "auto" ? (dark.matches ? "dark" : "light") : choice;
  };
  apply();
  dark.addEventListener("change", apply);
  const nav = cookie("k_nav");
  if (nav) root.dataset.nav = nav;
  window.keelsonPreference = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
    if (name === "k_theme") apply();
    if (name === "k_nav") root.dataset.nav = value;
  };
})();
