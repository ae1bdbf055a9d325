// Before the first paint: the theme that was chosen here, or the system's.
try { document.documentElement.dataset.theme = localStorage.getItem("theme") || "system"; } catch { document.documentElement.dataset.theme = "system"; }
