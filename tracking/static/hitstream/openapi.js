"use strict";
// The stock admin says light, dark or auto on the root; Swagger UI knows a class there.
{
    const root = document.documentElement;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => {
        const theme = root.dataset.theme;
        root.classList.toggle("dark-mode", theme === "dark" || (theme !== "light" && dark.matches));
    };
    follow();
    dark.addEventListener("change", follow);
    new MutationObserver(follow).observe(root, { attributeFilter: ["data-theme"] });
    const place = document.getElementById("hs-openapi");
    SwaggerUIBundle({
        domNode: place,
        url: place.dataset.schema,
        // Otherwise a badge is loaded from elsewhere.
        validatorUrl: null,
        deepLinking: true,
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
        tryItOutEnabled: true,
        syntaxHighlight: false,
    });
}
